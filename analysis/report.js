// Draws the charts of a report when they come into view, in the reader's colours and at the reader's width.
(function () {
  'use strict';
  var root = document.documentElement;
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  var places = JSON.parse(document.getElementById('charts').textContent).map(function (chart) {
    return {
      element: document.getElementById(chart.id), width: chart.width, height: chart.height,
      text: JSON.stringify(chart.option), chart: null, theme: '', drawnWidth: 0, spare: 0
    };
  });

  function each(value, visit) {
    if (Array.isArray(value)) { value.forEach(visit); } else if (value) { visit(value); }
  }

  // Options are laid out for a wide drawing: on less width the legend becomes one row to page through, long names are
  // cut shorter, and there are fewer ticks.
  function fitted(option, place, width) {
    if (width >= place.width) { return option; }
    each(option.legend, function (legend) {
      var spare = (legend.reservedRows - 1) * 28;
      place.spare = spare;
      each(option.grid, function (grid) { grid.top -= spare; });
      each(option.title, function (title) { title.top -= spare; });
      legend.type = 'scroll';
      legend.textStyle.width = Math.min(legend.textStyle.width, Math.max(120, width - 140));
    });
    each(option.title, function (title) { title.textStyle.width = width - 12; });
    if (width > 480) { return option; }
    each(option.grid, function (grid) {
      grid.left = grid.containLabel ? 4 : 60;
      grid.right = Math.min(grid.right, 76);
    });
    each(option.xAxis, function (axis) {
      if (axis.type === 'value' && axis.interval === undefined) { axis.splitNumber = 3; }
      if (axis.axisLabel) { axis.axisLabel.fontSize = 11; }
    });
    each(option.yAxis, function (axis) {
      if (axis.axisLabel && axis.type === 'category') {
        axis.axisLabel.width = 96;
        axis.axisLabel.formatter = function (name) {
          return name.length > 28 ? name.slice(0, 11) + '…' + name.slice(-16) : name;
        };
      }
      if (axis.axisLabel) { axis.axisLabel.fontSize = 11; }
    });
    return option;
  }

  function draw(place, theme) {
    var width = place.element.clientWidth;
    if (width === 0) { return; }  // within a closed <details>
    if (place.chart && place.theme === theme && place.drawnWidth === width) { return; }
    if (place.chart) { place.chart.dispose(); }
    place.spare = 0;
    var option = fitted(brokerlabCharts.prepare(place.text, theme), place, width);
    var height = place.height - place.spare;
    place.element.style.height = height + 'px';
    place.chart = echarts.init(place.element, null, {renderer: 'svg', width: width, height: height});
    place.chart.setOption(option);
    place.theme = theme;
    place.drawnWidth = width;
    root.classList.add('drawn');
  }

  function currentTheme() { return dark.matches ? 'dark' : 'light'; }

  function redraw() {
    places.forEach(function (place) { if (place.chart) { draw(place, currentTheme()); } });
  }

  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) { return; }
      var place = places.filter(function (each) { return each.element === entry.target; })[0];
      draw(place, currentTheme());
    });
  }, {rootMargin: '800px'});
  places.forEach(function (place) {
    // The height is kept free from the start, so that the page does not jump while it is read.
    place.element.style.height = place.height + 'px';
    seen.observe(place.element);
  });
  root.classList.add('drawn');

  var waiting = 0;
  window.addEventListener('resize', function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(redraw, 120);
  });
  dark.addEventListener('change', redraw);

  // On paper everything is open, and light; pictures that were drawn beforehand take the charts' place where they exist.
  var closed = [];
  window.addEventListener('beforeprint', function () {
    closed = Array.prototype.slice.call(document.querySelectorAll('details:not([open])'));
    closed.forEach(function (details) { details.open = true; });
    places.forEach(function (place) { draw(place, 'light'); });
  });
  window.addEventListener('afterprint', function () {
    closed.forEach(function (details) { details.open = false; });
    redraw();
  });

  Array.prototype.forEach.call(document.querySelectorAll('.command'), function (command) {
    var button = command.querySelector('.copy');
    var code = command.querySelector('code');
    button.hidden = false;
    button.addEventListener('click', function () {
      // Selecting works everywhere; the clipboard only where the browser lets a local page have it.
      var range = document.createRange();
      range.selectNodeContents(code);
      var selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
      window.setTimeout(function () { button.textContent = 'Copy'; }, 1600);
    });
  });
}());
