"""What other apps share, and what other sites post in their place: sw.js takes it, or does not."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exporter.serve import SiteServer, make_server, running

from .worker_alone import host, quick_site_dir, register, visitor

__all__ = ["host", "quick_site_dir", "visitor"]  # fixtures

SHARE = """
async () => {
  const form = new FormData()
  const noise = new Uint8Array(4e6)
  for (let at = 0; at < noise.length; at += 65536) {
    crypto.getRandomValues(noise.subarray(at, at + 65536))
  }
  form.append('photos', new File([noise], 'large.png'))
  form.append('photos', new File(['small'], 'small.png'))
  const answer = await fetch('share', { method: 'POST', body: form })
  return [answer.redirected, answer.url]
}
"""
SHARED = """
async () => {
  const keys = await (await caches.open('gossamer shared /')).keys()
  return keys.map(({ url }) => new URL(url).searchParams.get('name'))
}
"""


def test_of_shared_photos_a_full_disk_keeps_what_fits(visitor: Page, host: SiteServer) -> None:
    register(visitor, host.url)
    used = visitor.evaluate("navigator.storage.estimate().then(({ usage }) => usage)")
    visitor.context.new_cdp_session(visitor).send(
        "Storage.overrideQuotaForOrigin",
        {"origin": host.url.rstrip("/"), "quotaSize": used + 1_000_000},
    )
    redirected, address = visitor.evaluate(SHARE)
    assert redirected
    assert visitor.evaluate(SHARED) == ["small.png"]
    visitor.goto(address)
    expect(visitor.get_by_text("Some of the photos did not fit on this device.")).to_be_visible()
    assert visitor.url == host.url


#: What a page of another site could do without asking anybody.
FORM = """
({ address, policy }) => {
  const meta = document.createElement('meta')
  Object.assign(meta, { name: 'referrer', content: policy })
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', enctype: 'multipart/form-data', action: address })
  form.innerHTML = '<input type=file name=photos>'
  const files = new DataTransfer()
  files.items.add(new File(['not a photo'], 'evil.png'))
  form.firstChild.files = files.files
  document.head.append(meta)
  document.body.append(form)
  form.submit()
}
"""
SANDBOXED = (
    "<iframe sandbox='allow-scripts allow-forms allow-top-navigation' srcdoc='<p>'></iframe>"
)


@pytest.mark.parametrize("kind", ["plain", "without a referrer", "without an origin"])
def test_another_site_cannot_share_anything(
    visitor: Page, host: SiteServer, quick_site_dir: Path, tmp_path: Path, kind: str
) -> None:
    host.dist = shutil.copytree(quick_site_dir, tmp_path / "ours")
    shutil.rmtree(host.dist / "js" / "ui")  # the app would take what is shared at once
    register(visitor, host.url)
    (tmp_path / "index.html").write_text(SANDBOXED if kind == "without an origin" else "")
    policy = "no-referrer" if kind == "without a referrer" else "strict-origin-when-cross-origin"
    given = {"address": f"{host.url}share", "policy": policy}
    with running(make_server(tmp_path, headers=False)) as other:
        visitor.goto(other.url.replace("127.0.0.1", "localhost"))
        if kind == "without an origin":
            script = FORM.replace("form.submit()", "form.target = '_top'; form.submit()")
            visitor.frames[1].evaluate(script, given)
        else:
            visitor.evaluate(FORM, given)
        visitor.wait_for_url(host.url)
    assert visitor.evaluate(SHARED) == []


def test_a_share_of_the_system_is_none_of_a_site_s_forms(visitor: Page, host: SiteServer) -> None:
    """Chromium posts it without an origin, and with a boundary that no form has; no test can make
    the system share something."""
    register(visitor, host.url)
    (worker,) = visitor.context.service_workers
    kinds = {
        ("null", "----MultipartBoundary--GvDkEQYQX6aLr2iy8wc4FC6WpXBWVNvQGgVtoPGlrT----"): True,
        ("null", "----WebKitFormBoundaryvSsk1rkVLpYdiaBO"): False,
        ("http://localhost", "----MultipartBoundary--GvDkEQYQX6aLr2iy8wc4FC6W----"): False,
    }
    for (origin, boundary), is_taken in kinds.items():
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"origin": origin, "content-type": kind}
        assert worker.evaluate("(h) => isShare(new Headers(h))", headers) is is_taken
