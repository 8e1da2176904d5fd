// Asks for what goes on once a second and shows it. What others have named is set as text, never as markup.
(function () {
  'use strict';
  var ASK_MS = 1000, SILENT_MS = 2000;
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  var format = brokerlabCharts.formatters;
  var generation = 0, points = [], charts = {}, shown = null;

  function element(id) { return document.getElementById(id); }
  function palette() { return brokerlabCharts.palettes[dark.matches ? 'dark' : 'light']; }
  function text(id, value) { element(id).textContent = value; }
  function made(tag, value, name) {
    var node = document.createElement(tag);
    if (value !== undefined) { node.textContent = value; }
    if (name) { node.className = name; }
    return node;
  }
  function count(value) { return value === null ? '' : format['@count'](value); }
  function known(value) { return value !== null && value !== undefined; }
  function seconds(value) { return value < 100 ? value.toFixed(1) + ' s' : Math.round(value) + ' s'; }

  // Columns: [heading, function of a row, whether it is a number]. The first one heads its row.
  function table(place, columns, rows, classes) {
    var whole = made('table'), head = made('tr'), body = made('tbody');
    columns.forEach(function (column) {
      head.appendChild(made('th', column[0], column[2] ? 'number' : ''));
    });
    rows.forEach(function (row) {
      var line = made('tr', undefined, classes ? classes(row) : '');
      columns.forEach(function (column, index) {
        var value = column[1](row), cell = made(index === 0 ? 'th' : 'td', undefined, column[2] ? 'number' : '');
        if (value instanceof Node) { cell.appendChild(value); } else { cell.textContent = value; }
        line.appendChild(cell);
      });
      body.appendChild(line);
    });
    var top = made('thead');
    top.appendChild(head);
    whole.appendChild(top);
    whole.appendChild(body);
    element(place).replaceChildren(whole);
  }

  function tile(value, name, bad) {
    var box = made('div', undefined, bad ? 'tile bad' : 'tile');
    box.appendChild(made('strong', value));
    box.appendChild(made('span', name));
    return box;
  }

  function axes(colours, formatter, log) {
    var line = {lineStyle: {color: colours['@grid']}};
    return {
      animation: false, backgroundColor: 'transparent', textStyle: {color: colours['@ink'], fontFamily: window.getComputedStyle(document.body).fontFamily},
      grid: {left: 4, right: 12, top: 34, bottom: 4, containLabel: true},
      legend: {top: 0, left: 0, type: 'scroll', icon: 'roundRect', itemWidth: 12, itemHeight: 4, pageIconSize: 10,
               pageIconColor: colours['@ink'], pageIconInactiveColor: colours['@soft'], pageTextStyle: {color: colours['@muted']},
               textStyle: {color: colours['@muted']}},
      tooltip: {trigger: 'axis', confine: true, backgroundColor: colours['@paper'], borderColor: colours['@grid'],
                textStyle: {color: colours['@ink']}, valueFormatter: formatter},
      xAxis: {type: 'value', min: 0, max: 'dataMax', splitLine: {show: false}, axisLine: line, axisTick: {show: false},
              axisLabel: {color: colours['@muted'], formatter: '{value} s', hideOverlap: true, showMaxLabel: false},
              axisPointer: {label: {formatter: function (at) { return seconds(at.value); }}}},
      yAxis: {type: log ? 'log' : 'value', min: log ? undefined : 0, splitNumber: 4, splitLine: line,
              axisLabel: {color: colours['@muted'], formatter: formatter}}
    };
  }

  function series(name, column, colour, dashed) {
    return {
      name: name, type: 'line', showSymbol: points.length < 2, symbolSize: 5, color: colour, connectNulls: false,
      lineStyle: {width: dashed ? 1.5 : 2, type: dashed ? 'dashed' : 'solid', color: colour},
      data: points.map(function (point) { return [point[0], point[column]]; })
    };
  }

  function draw(id, option) {
    var place = element(id);
    if (!charts[id]) { charts[id] = echarts.init(place, null, {renderer: 'svg'}); }
    charts[id].setOption(option, {replaceMerge: ['series']});
  }

  function has(column) { return points.some(function (point) { return known(point[column]) && point[column] !== 0; }); }

  // Faults as bands behind the lines.
  function bands(run, colours, named) {
    var now = run.elapsed;
    return {
      silent: true, itemStyle: {color: colours['@fault']}, label: {show: named, color: colours['@faultink'], position: 'insideTop'},
      data: run.faults.filter(function (fault) { return fault.started !== null; }).map(function (fault) {
        var end = known(fault.ended) ? fault.ended : now;
        return [{name: fault.kind, xAxis: fault.started}, {xAxis: Math.max(end, fault.started + 0.05)}];
      })
    };
  }

  function drawLines(run) {
    var colours = palette();
    var rates = axes(colours, format['@rate'], false);
    rates.series = [series('published', 1, colours['@series0'])];
    if (has(2)) { rates.series.push(series('confirmed', 2, colours['@series2'], true)); }
    rates.series.push(series('received', 3, colours['@series1']));
    if (has(4)) { rates.series.push(series('done', 4, colours['@series3'], true)); }
    rates.series[0].markArea = bands(run, colours, true);
    draw('rates', rates);

    var latency = axes(colours, format['@duration'], true);
    latency.series = [];
    [['received', 8, colours['@series1']], ['confirmed', 11, colours['@series2']]].forEach(function (kind) {
      if (!has(kind[1] + 2)) { return; }
      latency.series.push(series(kind[0] + ' p50', kind[1], kind[2], true));
      // A p99 takes a thousand messages; where they are fewer, the longest of them is what is known.
      latency.series.push(has(kind[1] + 1) ? series(kind[0] + ' p99', kind[1] + 1, kind[2])
                                           : series(kind[0] + ' longest', kind[1] + 2, kind[2]));
    });
    if (latency.series.length > 0) { latency.series[0].markArea = bands(run, colours, false); }
    draw('latency', latency);

    var waiting = axes(colours, format['@count'], false);
    waiting.yAxis.minInterval = 1;
    waiting.series = [series('unconfirmed', 5, colours['@series0'])];
    if (points.some(function (point) { return known(point[7]); })) { waiting.series.push(series('in queues', 7, colours['@series4'])); }
    waiting.series.push(series('in hand', 6, colours['@series1']));
    waiting.series[0].markArea = bands(run, colours, false);
    draw('waiting', waiting);
  }

  function drawWorkers(run) {
    var workers = run.workers, colours = palette();
    element('shares').hidden = workers.length === 0;
    if (workers.length === 0) { return; }
    if (workers.length > 24) {  // the ends tell how fair it is
      workers = workers.slice().sort(function (a, b) { return b.done - a.done; });
      workers = workers.slice(0, 12).concat(workers.slice(-12));
      text('share-text', 'Messages finished so far; the twelve with most and the twelve with least.');
    }
    var option = axes(colours, format['@count'], false);
    option.legend.show = false;
    option.grid.top = 8;
    option.tooltip.trigger = 'item';
    option.xAxis = {type: 'value', min: 0, minInterval: 1, splitNumber: 4, splitLine: {lineStyle: {color: colours['@grid']}},
                    axisLabel: {color: colours['@muted'], formatter: format['@count'], hideOverlap: true}};
    option.yAxis = {type: 'category', inverse: true, axisLine: {lineStyle: {color: colours['@grid']}}, axisTick: {show: false},
                    axisLabel: {color: colours['@muted'], width: 120, overflow: 'truncate'},
                    data: workers.map(function (worker) { return worker.name; })};
    option.series = [{type: 'bar', color: colours['@series0'], barMaxWidth: 18,
                      data: workers.map(function (worker) { return worker.done; })}];
    element('workers').style.height = Math.max(160, 40 + 22 * workers.length) + 'px';
    draw('workers', option);
    charts.workers.resize();
  }

  function showTiles(run) {
    var last = points[points.length - 1] || [], tiles = [];
    function add(value, shownAs, name) { if (known(value)) { tiles.push(tile(shownAs(value), name)); } }
    add(last[1], format['@rate'], 'published');
    if (has(2)) { add(last[2], format['@rate'], 'confirmed'); }
    add(last[3], format['@rate'], 'received');
    add(last[7], count, 'in queues');
    add(last[6], count, 'in hand');
    add(last[9], format['@duration'], 'received, p99');
    add(last[12], format['@duration'], 'confirmed, p99');
    if (run.entries.some(function (entry) { return entry.blocked; })) { tiles.push(tile('blocked', 'a connection', true)); }
    var active = run.faults.filter(function (fault) { return known(fault.started) && !known(fault.ended); });
    if (active.length > 0) { tiles.push(tile(active[0].kind, active.length === 1 ? 'fault in force' : active.length + ' faults in force', true)); }
    element('tiles').replaceChildren.apply(element('tiles'), tiles);
  }

  function showTables(run) {
    table('entries', [
      ['', function (entry) { return entry.name; }],
      ['instances', function (entry) { return entry.alive === entry.processes || (entry.kind !== 'role' && run.stage !== 'load') || run.stage === 'over' ? count(entry.instances) : count(entry.instances) + ' (' + entry.alive + '/' + entry.processes + ' alive)'; }, true],
      ['messages', function (entry) { return count(entry.messages) + (entry.kind === 'load' ? ' published' : entry.kind === 'churn' ? ' opened' : ' done'); }, true],
      ['rate', function (entry) { return known(entry.per_second) ? format['@rate'](entry.per_second) : ''; }, true],
      ['answered', function (entry) { return count(entry.answered) + (entry.kind === 'load' ? ' confirmed' : entry.kind === 'churn' ? ' closed' : ' received'); }, true],
      ['waiting', function (entry) { return count(entry.waiting); }, true],
      ['trouble', function (entry) { return entry.trouble === 0 ? '' : count(entry.trouble) + (entry.kind === 'load' ? ' returned' : entry.kind === 'churn' ? ' failed' : ' redelivered'); }, true],
      ['CPU', function (entry) { return known(entry.cpu) ? format['@share'](entry.cpu) : ''; }, true],
      ['memory', function (entry) { return entry.resident_bytes > 0 ? format['@bytes'](entry.resident_bytes) : ''; }, true],
      ['', function (entry) { return entry.blocked ? made('span', 'blocked', 'badge invalid') : ''; }]
    ], run.entries);
    var latencies = run.latencies.filter(function (latency) { return latency.count > 0; });
    element('latency-block').hidden = latencies.length === 0;
    function percentile(key) { return function (latency) { return known(latency[key]) ? format['@duration'](latency[key]) : ''; }; }
    table('latencies', [['', function (latency) { return latency.name; }],
      ['messages', function (latency) { return count(latency.count); }, true], ['p50', percentile('p50'), true],
      ['p90', percentile('p90'), true], ['p99', percentile('p99'), true], ['p99.9', percentile('p99_9'), true],
      ['longest', percentile('longest'), true]], latencies);
    element('faults-block').hidden = run.faults.length === 0;
    table('faults', [['', function (fault) { return fault.kind; }], ['target', function (fault) { return fault.target; }],
      ['began', function (fault) { return known(fault.started) ? seconds(fault.started) : 'to come'; }, true],
      ['ended', function (fault) { return known(fault.ended) ? seconds(fault.ended) : known(fault.started) ? made('span', 'in force', 'badge invalid') : ''; }, true]],
      run.faults, function (fault) { return known(fault.ended) ? 'over' : ''; });
    showBroker(run.broker);
  }

  function showBroker(broker) {
    element('broker-block').hidden = !broker || broker.nodes.length === 0;
    if (element('broker-block').hidden) { return; }
    function or(value, shownAs) { return known(value) ? shownAs(value) : ''; }
    table('broker', [['', function (node) { return node.name; }],
      ['CPU', function (node) { return or(node.cpu, format['@share']); }, true],
      ['resident', function (node) { return or(node.resident_bytes, format['@bytes']); }, true],
      ['memory, its own count', function (node) { return or(node.memory_bytes, format['@bytes']); }, true],
      ['connections', function (node) { return or(node.connections, count); }, true],
      ['in flow', function (node) { return or(node.in_flow, count); }, true],
      ['blocked', function (node) { return or(node.blocked, count); }, true],
      ['', function (node) {
        var alarm = node.memory_alarm ? 'memory alarm' : node.disk_alarm ? 'disk alarm' : node.answers ? '' : 'does not answer';
        return alarm ? made('span', alarm, 'badge invalid') : '';
      }]], broker.nodes);
  }

  function showLists(live) {
    element('notices-block').hidden = live.notices.length === 0;
    element('notices').replaceChildren.apply(element('notices'),
      live.notices.slice().reverse().map(function (notice) { return made('li', notice); }));
    element('finished-block').hidden = live.finished.length < 2;
    table('finished', [['', function (run) { return run.title; }],
      ['verdict', function (run) { return run.verdict ? made('span', run.verdict, 'badge ' + run.verdict) : ''; }]], live.finished);
  }

  function showStage(live) {
    var run = live.run, stage = live.outcome ? 'ended' : run ? run.stage : 'starting';
    text('stage', stage);
    element('stage').className = 'badge ' + stage;
    // While a run goes on, its own stage says more than the step that led to it.
    text('activity', live.outcome || (run && stage !== 'start' && stage !== 'over') ? '' : live.activity);
    element('progress').hidden = !run;
    if (!run) { return; }
    text('title', run.title);
    document.title = run.title + ' · brokerlab';
    text('where', 'brokerlab, live · ' + (run.broker_uri || 'no broker') + ' · ' + run.run_id);
    var share = Math.round(100 * run.share), planned = run.planned > 0 ? ' of ' + seconds(run.planned) : '';
    element('bar').setAttribute('width', String(100 * run.share));
    element('progress').setAttribute('aria-valuenow', String(share));
    text('elapsed', share + ' % of the load, ' + seconds(run.elapsed) + (stage === 'load' ? planned : ''));
  }

  function showEnd(outcome) {
    var place = element('end');
    place.hidden = !outcome;
    if (!outcome) { return; }
    place.className = 'callout ' + (outcome.failure ? 'invalid' : outcome.results.length === 1 ? outcome.results[0].verdict : '');
    var parts = [];
    if (outcome.failure) { parts.push(made('h3', 'It failed'), made('p', outcome.failure)); }
    outcome.results.forEach(function (result) {
      parts.push(made('h3', result.experiment + ': ' + result.verdict));
      result.reasons.forEach(function (reason) { parts.push(made('p', reason)); });
      var file = made('p', 'Result: ');
      file.appendChild(made('code', result.file));
      parts.push(file);
    });
    if (outcome.report) {
      var report = made('p', 'Report: '), link = made('code', outcome.report);
      report.appendChild(link);
      parts.push(report);
    }
    place.replaceChildren.apply(place, parts);
  }

  function show(live) {
    shown = live;
    showStage(live);
    showEnd(live.outcome);
    showLists(live);
    if (!live.run) { return; }
    drawLines(live.run);
    drawWorkers(live.run);
    showTiles(live.run);
    showTables(live.run);
  }

  function take(live) {
    var told = live.points;
    if (told.generation !== generation) {
      generation = told.generation;
      points = [];
    }
    points = points.slice(0, told.first).concat(told.list);
    show(live);
  }

  function ask() {
    var token = new URLSearchParams(window.location.hash.slice(1)).get('token');
    var headers = token ? {Authorization: 'Bearer ' + token} : {};
    fetch('/live.json?generation=' + generation + '&from=' + points.length, {cache: 'no-store', headers: headers}).then(function (answer) {
      if (answer.status === 401) { element('silent').firstElementChild.textContent = 'A token is needed: put #token=TOKEN behind the address of this page.'; }
      if (!answer.ok) { throw new Error(String(answer.status)); }
      return answer.json();
    }).then(function (live) {
      element('silent').hidden = true;
      take(live);
      if (live.outcome === null) { window.setTimeout(ask, ASK_MS); } else { document.documentElement.classList.add('ended'); }
    }).catch(function () {
      element('silent').hidden = false;
      window.setTimeout(ask, SILENT_MS);
    });
  }

  function again() {
    Object.keys(charts).forEach(function (id) { charts[id].dispose(); });
    charts = {};
    if (shown) { show(shown); }
  }
  var waiting = 0;
  window.addEventListener('resize', function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () { Object.keys(charts).forEach(function (id) { charts[id].resize(); }); }, 120);
  });
  dark.addEventListener('change', again);
  ask();
}());
