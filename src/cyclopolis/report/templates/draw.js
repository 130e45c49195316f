"use strict";
(function () {
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var family = getComputedStyle(document.body).fontFamily;
  function copy(value) { return JSON.parse(JSON.stringify(value)); }
  function layoutOf(figure) {
    var layout = Object.assign({}, copy(figure.layout), { autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" });
    delete layout.width;
    layout.font = Object.assign({ family: family, size: 12, color: "#23343b" }, layout.font);
    layout.height = layout.height || 460;
    return layout;
  }
  // Paper gets a picture of its own: a live plot does not keep up with the change of width when a browser prints.
  function forPaper(box, figure, layout) {
    var size = { width: 1000, height: layout.height };
    var still = { data: copy(figure.data), layout: Object.assign(copy(layout), size) };
    return Plotly.toImage(still, Object.assign({ format: "svg" }, size)).then(function (address) {
      var image = document.createElement("img");
      image.src = address;
      image.className = "paper";
      image.alt = box.getAttribute("aria-label");
      box.parentNode.appendChild(image);
      return image.decode ? image.decode().catch(function () {}) : null;
    });
  }
  function draw(box) {
    var figure = figures[box.id.slice("figure-".length)];
    var layout = layoutOf(figure);
    var options = { responsive: true, displaylogo: false, displayModeBar: false };
    return Plotly.newPlot(box, copy(figure.data), layout, options).then(function () {
      return forPaper(box, figure, layoutOf(figure));
    });
  }
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".figure"));
  Promise.all(boxes.map(draw)).then(function () {
    document.documentElement.setAttribute("data-drawn", String(boxes.length));
  });
})();
