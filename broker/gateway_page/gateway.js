// The gateway's page. What comes from a queue is text and nothing else: it is only ever put into textContent.
'use strict';

(function () {
  var LONGEST_LOG = 100;
  var place = function (id) { return document.getElementById(id); };

  function tell(state, title, text) {
    var item = document.createElement('li');
    var time = document.createElement('time');
    time.textContent = new Date().toLocaleTimeString();
    var head = document.createElement('span');
    head.className = state;
    head.textContent = title;
    item.append(time, head);
    if (text !== undefined) {
      var body = document.createElement('pre');
      body.textContent = text;
      item.append(body);
    }
    place('log').prepend(item);
    while (place('log').childElementCount > LONGEST_LOG) place('log').lastChild.remove();
    place('nothing').hidden = true;
  }

  // Resolves to the service's answer, or to one of our own where it gives none.
  function ask(path, form) {
    var options = {method: form ? 'POST' : 'GET', headers: {}, cache: 'no-store'};
    if (form) options.body = new URLSearchParams(form);
    if (place('token').value) options.headers.Authorization = 'Bearer ' + place('token').value;
    var buttons = document.querySelectorAll('button');
    buttons.forEach(function (button) { button.disabled = true; });
    return fetch(path, options)
      .then(function (response) { return response.json(); })
      .catch(function () { return {state: 'NO', msg: 'the gateway does not answer; see whether it still runs'}; })
      .finally(function () { buttons.forEach(function (button) { button.disabled = false; }); });
  }

  // The name in the field; asks for one when it is empty.
  function queue() {
    return place('create').reportValidity() ? place('queue').value : null;
  }

  place('create').addEventListener('submit', function (event) {
    event.preventDefault();
    ask('/rabbit/', {nom_queue: place('queue').value}).then(function (answer) { tell(answer.state, answer.msg); });
  });

  place('send').addEventListener('submit', function (event) {
    event.preventDefault();
    var name = queue(), text = place('message').value;
    if (name === null) return;
    ask('/rabbit/' + encodeURIComponent(name), {msg: text}).then(function (answer) {
      tell(answer.state, answer.msg, text);
      if (answer.state === 'OK') place('message').value = '';
    });
  });

  place('receive').addEventListener('click', function () {
    var name = queue();
    if (name === null) return;
    ask('/rabbit/' + encodeURIComponent(name)).then(function (answer) {
      if (answer.state === 'OK') tell('OK', 'received from queue "' + name + '"', answer.msg);
      else tell('NO', answer.msg);
    });
  });
})();
