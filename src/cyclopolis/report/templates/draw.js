"use strict";
(function () {
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var drawn = [];
  function draw(box) {
    var figure = figures[box.id.slice("figure-".length)];
    var layout = Object.assign({}, figure.layout, {
      autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
    });
    delete layout.width;
    layout.font = Object.assign({ family: getComputedStyle(document.body).fontFamily, size: 12, color: "#23343b" }, layout.font);
    layout.height = layout.height || 460;
    return Plotly.newPlot(box, figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".figure"));
  Promise.all(boxes.map(draw)).then(function () {
    drawn = boxes;
    document.documentElement.setAttribute("data-drawn", String(boxes.length));
  });
  window.addEventListener("beforeprint", function () {
    drawn.forEach(function (box) { Plotly.relayout(box, { width: 680 }); });
  });
  window.addEventListener("afterprint", function () {
    drawn.forEach(function (box) { Plotly.relayout(box, { width: null, autosize: true }); });
  });
})();
