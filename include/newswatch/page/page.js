// The UI around the frame decides between light and dark; without a frame, the system does.
const system = matchMedia("(prefers-color-scheme: dark)");
function follow() {
  const outer = parent === window ? null : parent.document.documentElement.classList;
  const known = outer && (outer.contains("dark") || outer.contains("light"));
  document.documentElement.classList.toggle("dark", known ? outer.contains("dark") : system.matches);
}
follow();
system.addEventListener("change", follow);
if (parent !== window) new MutationObserver(follow).observe(parent.document.documentElement, { attributeFilter: ["class"] });

const copied = document.getElementById("copied");
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    copied.textContent = "· copied";
  } catch {
    // No clipboard outside of https and localhost: the address is marked, Ctrl-C copies it.
    getSelection().selectAllChildren(button.previousElementSibling);
    copied.textContent = "· marked, copy it with Ctrl-C";
  }
});
