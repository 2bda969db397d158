// What the gateway says is new: the page asks anew for what it shows, and keeps what it has where nobody answers.
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 60_000;

export function listen(address, { renew, lost }) {
  let known = null;
  let wait = FIRST_RETRY;

  const renewAll = () => {
    document.body.dispatchEvent(new Event("luna:refresh"));
    renew();
  };
  const open = () => {
    const source = new EventSource(address);
    source.addEventListener("news", (event) => {
      wait = FIRST_RETRY;
      if (known !== null && known !== event.data) renewAll();
      known = event.data;
    });
    source.onerror = () => {
      source.close();
      lost();
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_RETRY);
    };
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  // What the owner did on this page is shown at once.
  document.body.addEventListener("luna:refresh", (event) => {
    if (event.detail) renew();
  });
  open();
}
