"use strict";
(function () {
  // A line under the pointer is marked in all drawings, which stand side by side.
  var bands = document.querySelectorAll("[data-line]");
  function mark(line) {
    bands.forEach(function (b) { b.classList.toggle("on", b.getAttribute("data-line") === line); });
  }
  bands.forEach(function (b) {
    b.addEventListener("pointerenter", function () { mark(b.getAttribute("data-line")); });
    b.addEventListener("pointerleave", function () { mark(null); });
  });

  var table = document.getElementById("all");
  if (!table) { return; }
  // A row and the line that says what is wrong with it stay together.
  var body = table.tBodies[0], groups = [];
  Array.prototype.forEach.call(body.rows, function (row) {
    if (row.className === "why") { groups[groups.length - 1].push(row); } else { groups.push([row]); }
  });
  var find = document.getElementById("find"), bad = document.getElementById("bad"), shown = document.getElementById("shown");
  function filter() {
    var text = find.value.trim().toLowerCase(), count = 0;
    groups.forEach(function (g) {
      var keep = (!bad.checked || g[0].className === "failed") && g[0].textContent.toLowerCase().indexOf(text) >= 0;
      count += keep;
      g.forEach(function (row) { row.hidden = !keep; });
    });
    shown.textContent = count + " of " + groups.length;
  }
  find.addEventListener("input", filter);
  bad.addEventListener("change", filter);
  var tools = document.getElementById("tools");
  tools.addEventListener("submit", function (e) { e.preventDefault(); });
  tools.hidden = false;
  filter();

  function key(group, column) {
    var cell = group[0].cells[column], v = cell.getAttribute("data-v") || cell.textContent, n = parseFloat(v);
    return cell.classList.contains("n") ? (isNaN(n) ? -Infinity : n) : v;
  }
  var inOrder = groups.slice(), heads = table.tHead.rows[0].cells;
  Array.prototype.forEach.call(heads, function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var next = { none: "descending", descending: "ascending", ascending: "none" }[head.getAttribute("aria-sort") || "none"];
      Array.prototype.forEach.call(heads, function (h) { h.removeAttribute("aria-sort"); });
      groups = inOrder.slice();
      if (next !== "none") {
        head.setAttribute("aria-sort", next);
        var sign = next === "ascending" ? 1 : -1;
        groups.sort(function (a, b) {
          var x = key(a, column), y = key(b, column);
          return sign * (typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x < y ? -1 : x > y ? 1 : 0);
        });
      }
      groups.forEach(function (g) { g.forEach(function (row) { body.appendChild(row); }); });
    });
  });
})();
