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

// Advance widths of the printable ASCII characters in hundredths of the font size, in DejaVu Sans: the widest of the
// fonts that a viewer is likely to have, so that text which fits here fits everywhere.
var brokerlabWidths = [
  32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84,
  84, 53, 100, 68, 69, 70, 77, 63, 58, 78, 75, 30, 30, 66, 56, 86, 75, 79, 60, 79, 70, 64, 61, 73, 68, 99, 69, 61, 69,
  39, 34, 39, 84, 50, 50, 61, 64, 55, 64, 62, 35, 64, 63, 28, 28, 58, 28, 97, 63, 61, 64, 64, 41, 52, 39, 63, 59, 82,
  59, 59, 53, 64, 34, 64, 84];

function brokerlabMeasure(text, font) {
  var size = parseFloat((/([\d.]+)px/.exec(font || '') || [0, '12'])[1]);
  var bold = /bold|[6-9]00/.test(font || '') ? 1.1 : 1;
  var width = 0;
  text = String(text === null || text === undefined ? '' : text);
  for (var i = 0; i < text.length; i += 1) {
    var code = text.charCodeAt(i);
    width += code > 31 && code < 127 ? brokerlabWidths[code - 32] : code < 0x2e80 ? 65 : 100;
  }
  return {width: width * size * bold / 100};
}

// Draws one option; throws what ECharts throws or complains of.
function brokerlabRender(text, width, height, theme) {
  brokerlabComplaints = [];
  echarts.setPlatformAPI({measureText: brokerlabMeasure});
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  try {
    chart.setOption(brokerlabCharts.prepare(text, theme));
    var svg = chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
  if (brokerlabComplaints.length) { throw new Error(brokerlabComplaints.join('; ')); }
  // librsvg and others do not know dominant-baseline: a shift by a third of the size says the same to everybody.
  svg = svg.replace(/(<text[^>]*?) dominant-baseline="central"/g, '$1 dy="0.35em"');
  // Classes serve only to light up what a mouse is over; they and the identifiers count all charts of this heap. Without
  // them the same option gives the same bytes, and the picture needs no style sheet.
  return svg.replace(/<style[^]*?<\/style>\n?/g, '').replace(/ class="zr[^"]*"/g, '').replace(/(id="|url\(#)zr\d+-/g, '$1zr-');
}
