/** Before anything is drawn: an address that shows another part of the page does not flash the field to ask. */

if (/^#\/(?!answers\/)[a-z]/.test(location.hash)) document.documentElement.classList.add("elsewhere");
