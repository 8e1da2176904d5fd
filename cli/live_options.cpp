#include "cli/live_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

#include "cli/command.h"
#include "core/error.h"
#include "live/metrics.h"

namespace brokerlab {
namespace {

constexpr char kDefaultPage[] = "127.0.0.1:8082";

bool looks_like_address(const std::string& word) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  return word.find(':') != std::string::npos || std::all_of(word.begin(), word.end(), digit);
}

std::pair<std::string, std::string> tag_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  if (equals == std::string::npos || !MetricText::label_allowed(key)) {
    throw Error("\"" + text + "\" is no KEY=VALUE", "--tag",
                "a key has letters, digits and underscores: --tag branch=main", ExitStatus::kUsage);
  }
  if (live::label_taken(key)) {
    throw Error("\"" + key + "\" is a label of our own", "--tag", "choose another key", ExitStatus::kUsage);
  }
  return {key, text.substr(equals + 1)};
}

}  // namespace

void add_live_options(CLI::App& command, LiveOptions& options) {
  add_option(
      command, "--metrics", options.metrics,
      "serve metrics for Prometheus while it runs: HOST:PORT, or PORT for this machine only; 0: a free one");
  add_option(command, "--ui", options.page,
             "show it in a browser while it runs, at HOST:PORT or PORT; 127.0.0.1:8082, or a free port")
      ->expected(0, 1)
      ->allow_extra_args(false);
  add_option(command, "--tag,--metrics-tags", options.tags,
             "KEY=VALUE: a label of all metrics, kept in the result, too; may be repeated")
      ->allow_extra_args(false)
      ->delimiter(',');
  add_option(
      command, "--token", options.token,
      "what whoever watches must send as Authorization: Bearer TOKEN; the page takes it as #token=TOKEN "
      "behind its address; needed beyond loopback");
}

void add_prometheus_options(CLI::App& command, LiveOptions& options) {
  add_switch(command, "--metrics-prometheus", options.prometheus, "-mpr: --metrics 127.0.0.1:8080");
  add_option(command, "--metrics-prometheus-port", options.prometheus_port, "-mpp: another port for that")
      ->check(CLI::Range(0, 65535));
}

void give_back_words(LiveOptions& options, std::vector<std::string>& words) {
  if (options.page.empty() || looks_like_address(options.page.front())) return;
  words.insert(words.begin(), options.page.front());
  options.page.front().clear();
}

live::Wanted wanted_of(const LiveOptions& options) {
  live::Wanted wanted;
  wanted.token = options.token;
  if (!options.metrics.empty()) wanted.metrics = ListenAddress::parse(options.metrics, "--metrics");
  if (options.prometheus && !wanted.metrics)
    wanted.metrics = ListenAddress{"127.0.0.1", static_cast<std::uint16_t>(options.prometheus_port)};
  if (!options.page.empty()) {
    wanted.page_anywhere = options.page.front().empty();
    wanted.page = ListenAddress::parse(wanted.page_anywhere ? kDefaultPage : options.page.front(), "--ui");
  }
  for (const std::string& text : options.tags) {
    auto tag = tag_of(text);
    const auto same = [&](const auto& other) { return other.first == tag.first; };
    if (std::any_of(wanted.tags.begin(), wanted.tags.end(), same)) {
      throw Error("\"" + tag.first + "\" is given twice", "--tag", "give each key once", ExitStatus::kUsage);
    }
    wanted.tags.push_back(std::move(tag));
  }
  return wanted;
}

std::unique_ptr<live::Service> watched(const live::Wanted& wanted, const Clock& clock, RunObserver& shown) {
  if (!wanted.anything()) return nullptr;
  auto service = std::make_unique<live::Service>(wanted, clock, shown);
  for (const std::string& address : service->addresses()) fmt::print(stderr, "{}\n", address);
  return service;
}

Json tags_json(const live::Wanted& wanted) {
  Json tags = Json::object();
  for (const auto& [key, value] : wanted.tags) tags[key] = value;
  return tags;
}

}  // namespace brokerlab
