// What ECharts expects of its surroundings and Duktape lacks. Nothing is ever animated here, so that a timer need not run.
var self = this;
var brokerlabComplaints = [];
var console = (function () {
  function complain() { brokerlabComplaints.push(Array.prototype.slice.call(arguments).join(' ')); }
  function ignore() {}
  return {log: ignore, info: ignore, debug: ignore, warn: complain, error: complain};
}());
function setTimeout() { return 0; }
function clearTimeout() {}

// Draws one option; throws what ECharts throws or complains of.
function brokerlabRender(text, width, height, theme) {
  brokerlabComplaints = [];
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  try {
    chart.setOption(brokerlabCharts.prepare(text, theme));
    var svg = chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
  if (brokerlabComplaints.length) { throw new Error(brokerlabComplaints.join('; ')); }
  // Identifiers count the charts of this heap: without the number the same option gives the same bytes.
  return svg.replace(/((?:id|class)="|url\(#)zr\d+-/g, '$1zr-').replace(/ zr\d+-cls/g, ' zr-cls');
}
