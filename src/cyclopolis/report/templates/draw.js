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
    }).catch(function () {}); // a browser without WebGL has no picture of a cube; the rest of the page has
  }
  function draw(box) {
    var figure = figures[box.id.slice("figure-".length)];
    var layout = layoutOf(figure);
    var options = { responsive: true, displaylogo: false, displayModeBar: false };
    return Plotly.newPlot(box, copy(figure.data), layout, options).then(function () {
      return forPaper(box, figure, layoutOf(figure));
    });
  }
  // Figures whose layout.meta.linked is the same word pick the same items: what customdata says, in whichever is clicked.
  var picked = {};
  function ids(trace) { return trace.customdata || []; }
  function mark(box, chosen) {
    var base = figures[box.id.slice("figure-".length)].data;
    var none = Object.keys(chosen).length === 0;
    base.forEach(function (trace, number) {
      if (!trace.customdata) { return; }
      if (trace.type === "scatter3d") {
        var sizes = ids(trace).map(function (id, at) {
          return none ? trace.marker.size[at] : chosen[id] ? 13 : 3;
        });
        Plotly.restyle(box, { "marker.size": [sizes] }, [number]);
      } else {
        var here = chosen[ids(trace)[0]];
        var style = none ? { opacity: trace.opacity, "line.width": trace.line.width }
          : { opacity: here ? 1 : 0.08, "line.width": here ? 4 : 1 };
        Plotly.restyle(box, style, [number]);
      }
    });
  }
  function link(all) {
    all.forEach(function (box) {
      var meta = (figures[box.id.slice("figure-".length)].layout || {}).meta || {};
      if (!meta.linked) { return; }
      box.setAttribute("data-linked", meta.linked);
      picked[meta.linked] = picked[meta.linked] || {};
      function show() {
        all.filter(function (other) { return other.getAttribute("data-linked") === meta.linked; })
          .forEach(function (other) { mark(other, picked[meta.linked]); });
        document.documentElement.setAttribute("data-picked", Object.keys(picked[meta.linked]).join(" "));
      }
      box.on("plotly_click", function (event) {
        var id = event.points[0].customdata;
        if (id === undefined || id === null) { return; }
        if (picked[meta.linked][id]) { delete picked[meta.linked][id]; } else { picked[meta.linked][id] = true; }
        show();
      });
      box.on("plotly_doubleclick", function () { picked[meta.linked] = {}; show(); });
    });
  }
  var boxes = Array.prototype.slice.call(document.querySelectorAll(".figure"));
  Promise.all(boxes.map(draw)).then(function () {
    link(boxes);
    document.documentElement.setAttribute("data-drawn", String(boxes.length));
  });
})();
