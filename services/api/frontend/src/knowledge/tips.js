// What became of recommendations: that they were seen, and that they were opened. What the reader decides is a form's own matter.
export function watchTips(place) {
  const tell = (tip, action) => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    if (document.body.dataset.csrf) headers["X-CSRF-Token"] = document.body.dataset.csrf;
    const address = place.querySelector("[data-events]").dataset.events + encodeURIComponent(tip.dataset.tip);
    // The page may be left meanwhile; that nobody hears of it harms nobody.
    fetch(address, { method: "POST", headers, body: new URLSearchParams({ action }), keepalive: true }).catch(() => {});
  };

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      tell(target, "shown");
    }
  }, { threshold: 0.5 });

  const opened = (event) => {
    const tip = event.target.closest?.("[data-tip]");
    if (!tip || !event.target.closest("[data-open]") || tip.dataset.opened) return;
    tip.dataset.opened = "true";
    tell(tip, "opened");
  };

  place.addEventListener("click", opened);
  document.addEventListener("htmx:afterSettle", () => {
    for (const tip of place.querySelectorAll("[data-tip]:not([data-seen])")) {
      tip.dataset.seen = "true";
      seen.observe(tip);
    }
  });
}
