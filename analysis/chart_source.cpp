#include "analysis/chart_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace brokerlab {
namespace {

const Json* runs_of(const Json& result) {
  const Json* runs = find_value(result, "/runs");
  return runs != nullptr && runs->is_array() ? runs : nullptr;
}

// Several results may use the same names for their variants: then the experiment (or the run id) stands
// before them.
std::string prefix_of(const Json& result, std::span<const Json> results) {
  if (results.size() < 2) return "";
  const std::string experiment = find_text(result, "/experiment");
  const auto same = std::count_if(results.begin(), results.end(), [&](const Json& other) {
    return find_text(other, "/experiment") == experiment;
  });
  return same > 1 ? experiment + " " + find_text(result, "/run_id") : experiment;
}

std::string variant_label(const std::string& prefix, const std::string& variant) {
  if (prefix.empty()) return variant.empty() ? "all" : variant;
  return variant.empty() ? prefix : prefix + " / " + variant;
}

// Length of the UTF-8 sequence that begins at `text[at]`; 0 when it is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  return overlong || surrogate || (first == 0xf4 && second >= 0x90) ? 0 : length;
}

// Control characters of both sets, and the marks that turn the direction of the text around them.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  if (sequence.size() == 2) return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
  if (sequence.size() != 3) return false;
  return sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9" || sequence == "\xef\xbf\xbe" ||
         sequence == "\xef\xbf\xbf" || (sequence >= "\xe2\x80\xaa" && sequence <= "\xe2\x80\xae") ||
         (sequence >= "\xe2\x81\xa6" && sequence <= "\xe2\x81\xa9");
}

void add_to(std::optional<double>& sum, std::optional<double> value) {
  if (value) sum = sum.value_or(0) + *value;
}

std::string consumer_label(const Json& consumer) {
  if (const std::string name = find_text(consumer, "/name"); !name.empty()) return name;
  const std::string role = find_text(consumer, "/role");
  const auto instance = find_number(consumer, "/instance");
  return instance ? fmt::format("{} {}", role, *instance) : role;
}

}  // namespace

const Json* find_value(const Json& value, std::string_view pointer) {
  const Json* at = &value;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string key(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (at->is_array()) {
      std::size_t index = at->size();
      std::from_chars(key.data(), key.data() + key.size(), index);
      if (index >= at->size()) return nullptr;
      at = &(*at)[index];
      continue;
    }
    if (!at->is_object()) return nullptr;
    const auto found = at->find(key);
    if (found == at->end() || found->is_null()) return nullptr;
    at = &*found;
  }
  return at->is_null() ? nullptr : at;
}

std::optional<double> find_number(const Json& value, std::string_view pointer) {
  const Json* found = find_value(value, pointer);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string find_text(const Json& value, std::string_view pointer, std::size_t most_characters) {
  const Json* found = find_value(value, pointer);
  if (found == nullptr) return "";
  if (found->is_string()) return display_text(found->get_ref<const std::string&>(), most_characters);
  return display_text(found->dump(-1, ' ', false, Json::error_handler_t::replace), most_characters);
}

ChartSource::ChartSource(std::span<const Json> results) {
  for (const Json& result : results) {
    const Json* runs = runs_of(result);
    if (runs == nullptr) continue;
    results_.push_back(&result);
    const std::string prefix = prefix_of(result, results);
    const std::string experiment = find_text(result, "/experiment");
    std::map<std::string, std::size_t> known;
    for (const Json& run : *runs) {
      const std::string name = variant_label(prefix, find_text(run, "/variant"));
      const auto [place, fresh] = known.try_emplace(name, variants_.size());
      if (fresh) variants_.push_back({name, experiment, static_cast<int>(variants_.size()), {}});
      variants_[place->second].runs.push_back(&run);
    }
  }
}

ChartSource ChartSource::only(std::size_t variant) const {
  ChartSource source;
  source.variants_.push_back(variants_.at(variant));
  source.results_ = results_;
  return source;
}

bool ChartSource::any(std::string_view pointer) const {
  return std::any_of(variants_.begin(), variants_.end(), [&](const ChartVariant& variant) {
    return std::any_of(variant.runs.begin(), variant.runs.end(),
                       [&](const Json* run) { return find_value(*run, pointer) != nullptr; });
  });
}

std::string ChartSource::caption() const {
  std::vector<std::string> experiments;
  std::size_t most = 0;
  for (const ChartVariant& variant : variants_) {
    if (std::find(experiments.begin(), experiments.end(), variant.experiment) == experiments.end()) {
      experiments.push_back(variant.experiment);
    }
    most = std::max(most, variant.runs.size());
  }
  const std::string names = fmt::format("{}", fmt::join(experiments, ", "));
  const bool search = std::any_of(results_.begin(), results_.end(), [](const Json* result) {
    return find_value(*result, "/search") != nullptr;
  });
  if (search) return names + " · search";
  return most > 1 ? fmt::format("{} · {} repetitions of each variant", names, most) : names;
}

std::optional<Histogram> merged_histogram(const ChartVariant& variant, std::string_view stream) {
  const std::string pointer = fmt::format("/latency/{}/hdr", stream);
  return merged_histogram(variant, [&](const Json& run) { return find_value(run, pointer); });
}

std::optional<Histogram> merged_histogram(const ChartVariant& variant,
                                          const std::function<const Json*(const Json&)>& hdr_of) {
  std::optional<Histogram> merged;
  for (const Json* run : variant.runs) {
    const Json* hdr = hdr_of(*run);
    if (hdr == nullptr || !hdr->is_string()) continue;
    if (!merged) merged.emplace();
    merged->merge(Histogram::decode(hdr->get_ref<const std::string&>()));
  }
  if (merged && merged->count() == 0) merged.reset();
  return merged;
}

std::optional<Spread> spread(const ChartVariant& variant, std::string_view pointer) {
  std::vector<double> values;
  for (const Json* run : variant.runs) {
    if (const auto value = find_number(*run, pointer)) values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return Spread{values.front(), median, values.back(), values.size()};
}

std::optional<double> total(const ChartVariant& variant, std::string_view pointer) {
  double sum = 0;
  for (const Json* run : variant.runs) {
    const auto value = find_number(*run, pointer);
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum;
}

std::vector<ChartConsumer> consumers_of(const ChartVariant& variant) {
  std::vector<ChartConsumer> consumers;
  std::map<std::string, std::size_t> known;
  std::size_t runs = 0;
  for (const Json* run : variant.runs) {
    const Json* list = find_value(*run, "/fairness/consumers");
    if (list == nullptr || !list->is_array()) continue;
    ++runs;
    for (const Json& consumer : *list) {
      const std::string label = consumer_label(consumer);
      const auto [place, fresh] = known.try_emplace(label, consumers.size());
      if (fresh) consumers.push_back({label, {}, {}, {}, {}});
      ChartConsumer& sums = consumers[place->second];
      add_to(sums.messages, find_number(consumer, "/messages"));
      add_to(sums.bytes, find_number(consumer, "/bytes"));
      add_to(sums.busy_ns, find_number(consumer, "/busy_ns"));
      add_to(sums.idle_ns, find_number(consumer, "/idle_ns"));
    }
  }
  for (ChartConsumer& consumer : consumers) {
    for (auto* sum : {&consumer.messages, &consumer.bytes, &consumer.busy_ns, &consumer.idle_ns}) {
      if (*sum) **sum /= static_cast<double>(runs);
    }
  }
  return consumers;
}

std::string display_text(std::string_view text, std::size_t most_characters) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string shown;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == most_characters) return shown + "…";
    const std::size_t length = sequence_length(text, at);
    const std::string_view sequence = text.substr(at, std::max<std::size_t>(length, 1));
    shown += length == 0 || is_control(sequence) ? kReplacement : sequence;
    at += sequence.size();
  }
  return shown;
}

}  // namespace brokerlab
