// Our options are JSON: colours and formatters stand in them as tokens, because a colour depends on the theme and a
// function is no JSON. This replaces them, in the report's page and in Duktape alike. ECMAScript 5.
var brokerlabCharts = (function () {
  'use strict';

  // After Okabe and Ito: distinguishable with the common colour vision deficiencies.
  var palettes = {
    light: {
      '@ink': '#1f2430', '@muted': '#667085', '@grid': '#e6e8ee', '@paper': '#ffffff', '@soft': '#c3c8d2',
      '@fault': 'rgba(213, 94, 0, 0.10)', '@faultink': '#a84a00',
      '@good': '#0072b2', '@twice': '#56b4e9', '@ignored': '#b8bec9', '@unroutable': '#e69f00', '@nacked': '#cc79a7',
      '@unknown': '#667085', '@lost': '#d55e00',
      '@series0': '#0072b2', '@series1': '#d55e00', '@series2': '#009e73', '@series3': '#b4568c',
      '@series4': '#e69f00', '@series5': '#56b4e9', '@series6': '#5b5f97', '@series7': '#7a5c3e'
    },
    dark: {
      '@ink': '#e7e9ee', '@muted': '#9aa3b2', '@grid': '#2c323d', '@paper': '#171a21', '@soft': '#4b5361',
      '@fault': 'rgba(255, 145, 77, 0.14)', '@faultink': '#ffb07a',
      '@good': '#4da3e0', '@twice': '#9ad7f7', '@ignored': '#566072', '@unroutable': '#f2b84b', '@nacked': '#e79bc7',
      '@unknown': '#9aa3b2', '@lost': '#ff8a4c',
      '@series0': '#4da3e0', '@series1': '#ff8a4c', '@series2': '#2fc79a', '@series3': '#e79bc7',
      '@series4': '#f2b84b', '@series5': '#9ad7f7', '@series6': '#a5a9e6', '@series7': '#c9a783'
    }
  };

  // The figure a formatter is given: a plain value on axes, an object with the point in labels and tooltips.
  function figure(value) {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) { value = value.value; }
    return Array.isArray(value) ? value[value.length - 1] : value;
  }

  function measured(value) { return value !== null && value !== undefined && value !== '' && isFinite(value); }

  // Three significant digits without an exponent and without trailing zeros.
  function short(value) {
    var size = Math.abs(value);
    if (size >= 100 || size === 0) { return String(Math.round(value)); }
    var text = value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log(size) / Math.LN10)));
    return text.replace(/0+$/, '').replace(/\.$/, '');
  }

  function grouped(value) {
    return String(value).replace(/^-?\d+/, function (whole) { return whole.replace(/\B(?=(\d{3})+$)/g, ','); });
  }

  function scaled(value, units, base) {
    var index = 0;
    while (index < units.length - 1 && Math.abs(value) >= base) { value /= base; index += 1; }
    return short(value) + units[index];
  }

  var formatters = {
    // Milliseconds in the unit that reads best.
    '@duration': function (value) {
      value = figure(value);
      if (!measured(value)) { return 'not measured'; }
      var size = Math.abs(value);
      if (size === 0) { return '0'; }
      if (size < 1e-3) { return short(value * 1e6) + ' ns'; }
      if (size < 1) { return short(value * 1e3) + ' µs'; }
      if (size < 1e3) { return short(value) + ' ms'; }
      return size < 6e4 ? short(value / 1e3) + ' s' : short(value / 6e4) + ' min';
    },
    '@seconds': function (value) {
      value = figure(value);
      return measured(value) ? short(value) + ' s' : 'not measured';
    },
    // The axis of percentile plots: 0, 1, 2, 3 for 0, 90, 99, 99.9 per cent.
    '@percentile': function (value) {
      value = figure(value);
      if (value <= 0) { return '0 %'; }
      var share = 100 * (1 - Math.pow(10, -value));
      return share.toFixed(value <= 2 ? (value % 1 === 0 ? 0 : 1) : Math.ceil(value - 2)) + ' %';
    },
    '@count': function (value) {
      value = figure(value);
      if (!measured(value)) { return 'not measured'; }
      return Math.abs(value) < 1e6 ? grouped(Math.abs(value) < 100 ? short(value) : Math.round(value))
                                   : scaled(value / 1e6, [' M', ' G'], 1000);
    },
    '@rate': function (value) {
      value = figure(value);
      return measured(value) ? grouped(short(value)) + '/s' : 'not measured';
    },
    '@bytes': function (value) {
      value = figure(value);
      return measured(value) ? scaled(value, [' B', ' KiB', ' MiB', ' GiB'], 1024) : 'not measured';
    },
    '@share': function (value) {
      value = figure(value);
      return measured(value) ? short(100 * value) + ' %' : 'not measured';
    },
    '@index': function (value) {
      value = figure(value);
      return measured(value) ? value.toFixed(3) : 'not measured';
    },
    // A ratio: less than twice as much in per cent.
    '@change': function (value) {
      value = figure(value);
      if (!measured(value)) { return 'not measured'; }
      if (value >= 2) { return '\u00d7 ' + short(value); }
      var percent = 100 * (value - 1);
      if (Math.abs(percent) < 0.05) { return 'no change'; }
      return (percent > 0 ? '+' : '\u2212') + short(Math.abs(percent)) + ' %';
    },
    '@nothing': function () { return ''; }
  };

  var shapes = {
    // A figure with its interval: [low, high, figure, row]; without an interval low and high are null.
    '@interval': function (params, api) {
      var colour = api.visual('color'), middle = api.coord([api.value(2), api.value(3)]), size = 5;
      var diamond = [[middle[0], middle[1] - size], [middle[0] + size, middle[1]], [middle[0], middle[1] + size],
                     [middle[0] - size, middle[1]]];
      var parts = [{type: 'polygon', shape: {points: diamond}, style: {fill: colour}, silent: true}];
      if (isFinite(api.value(0)) && api.value(0) > 0) {
        var low = api.coord([api.value(0), api.value(3)])[0], high = api.coord([api.value(1), api.value(3)])[0];
        [[low, 0, high, 0], [low, -4, low, 4], [high, -4, high, 4]].forEach(function (at) {
          parts.push({type: 'line', silent: true, style: {stroke: colour, lineWidth: 2},
                      shape: {x1: at[0], y1: middle[1] + at[1], x2: at[2], y2: middle[1] + at[3]}});
        });
      }
      return {type: 'group', silent: true, children: parts};
    },
    // A piece of work in a timeline: [start, end, row, opacity]. Never thinner than can be seen.
    '@stroke': function (params, api) {
      var start = api.coord([api.value(0), api.value(2)]);
      var end = api.coord([api.value(1), api.value(2)]);
      var height = Math.max(2, Math.min(14, api.size([0, 1])[1] * 0.62));
      return {
        type: 'rect',
        shape: {x: start[0], y: start[1] - height / 2, width: Math.max(0.8, end[0] - start[0]), height: height},
        style: {fill: api.visual('color'), opacity: api.value(3)},
        silent: true
      };
    }
  };

  function replaced(key, value, palette) {
    if (typeof value === 'string' && value.charAt(0) === '@') {
      if (/color$/i.test(key) && palette.hasOwnProperty(value)) { return palette[value]; }
      if (key === 'renderItem' && shapes.hasOwnProperty(value)) { return shapes[value]; }
      if (/formatter$/i.test(key) && formatters.hasOwnProperty(value)) { return formatters[value]; }
    }
    return value;
  }

  // Walks the option in place. Only values of keys that end in "color" or "formatter", or are "renderItem", can be
  // tokens: a name of a queue or role never is one, whatever it looks like.
  function walk(value, key, palette) {
    if (Array.isArray(value)) {
      for (var i = 0; i < value.length; i += 1) {
        value[i] = value[i] !== null && typeof value[i] === 'object' ? walk(value[i], key, palette)
                                                                     : replaced(key, value[i], palette);
      }
      return value;
    }
    Object.keys(value).forEach(function (name) {
      var inner = value[name];
      value[name] = inner !== null && typeof inner === 'object' ? walk(inner, name, palette)
                                                                 : replaced(name, inner, palette);
    });
    return value;
  }

  return {
    palettes: palettes,
    formatters: formatters,
    // `text` is the option as JSON; a new object each time, since ECharts keeps and changes what it is given.
    prepare: function (text, theme) { return walk(JSON.parse(text), '', palettes[theme]); }
  };
}());
