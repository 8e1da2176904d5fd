#include "loadgen/payload.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "core/distribution.h"
#include "core/error.h"
#include "core/profile.h"
#include "core/units.h"
#include "loadgen/csv.h"

namespace brokerlab {
namespace {

constexpr std::size_t kLargestBody = std::size_t{128} << 20;  // RabbitMQ's own default limit
constexpr std::size_t kLargestFile = std::size_t{64} << 20;

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& remedy) {
  throw Error(what, where, remedy, ExitStatus::kUsage);
}

// No dots and no digits: filler must not look like an effort.
std::string filler(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

class FixedPayload final : public Payload {
 public:
  FixedPayload(std::string body, std::string_view content_type)
      : body_(std::move(body)), content_type_(content_type) {}
  std::string_view next(const MessageContext&) override { return body_; }
  bool fixed() const override { return true; }
  std::string_view content_type() const override { return content_type_; }

 private:
  std::string body_;
  std::string_view content_type_;
};

class SizedPayload final : public Payload {
 public:
  SizedPayload(std::unique_ptr<Distribution> bytes, Random random)
      : bytes_(std::move(bytes)), random_(random) {}
  std::string_view next(const MessageContext& context) override {
    const double drawn =
        std::clamp(bytes_->draw(random_, context.sequence), 0.0, static_cast<double>(kLargestBody));
    const auto bytes = static_cast<std::size_t>(std::llround(drawn));
    if (bytes > filler_.size()) filler_ = filler(bytes);
    return std::string_view(filler_).substr(0, bytes);
  }
  bool fixed() const override { return false; }

 private:
  std::unique_ptr<Distribution> bytes_;
  Random random_;
  std::string filler_;
};

// Sizes that change over time: by when the message is due, so that the same one is as large in every run.
class ProfiledPayload final : public Payload {
 public:
  explicit ProfiledPayload(Profile bytes) : bytes_(std::move(bytes)) {}
  std::string_view next(const MessageContext& context) override {
    const double wanted = std::clamp(bytes_.at(context.intended_ns), 0.0, static_cast<double>(kLargestBody));
    const auto bytes = static_cast<std::size_t>(std::llround(wanted));
    if (bytes > filler_.size()) filler_ = filler(bytes);
    return std::string_view(filler_).substr(0, bytes);
  }
  bool fixed() const override { return false; }

 private:
  Profile bytes_;
  std::string filler_;
};

class RenderedPayload final : public Payload {
 public:
  RenderedPayload(Template text, Random random, std::string_view content_type)
      : text_(std::move(text)), random_(random), content_type_(content_type) {}
  std::string_view next(const MessageContext& context) override {
    body_.clear();
    text_.render(context, random_, body_);
    return body_;
  }
  bool fixed() const override { return false; }
  std::string_view content_type() const override { return content_type_; }

 private:
  Template text_;
  Random random_;
  std::string_view content_type_;
  std::string body_;
};

class ListedPayload final : public Payload {
 public:
  ListedPayload(std::vector<std::string> bodies, std::uint32_t instance, std::uint32_t instances,
                std::string_view content_type)
      : bodies_(std::move(bodies)), instance_(instance), instances_(instances), content_type_(content_type) {}
  std::string_view next(const MessageContext& context) override {
    return bodies_[(context.sequence * instances_ + instance_) % bodies_.size()];
  }
  std::size_t entries() const override { return bodies_.size(); }
  bool fixed() const override { return false; }
  std::string_view content_type() const override { return content_type_; }

 private:
  std::vector<std::string> bodies_;
  std::uint32_t instance_, instances_;
  std::string_view content_type_;
};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(path, failed);
  if (!file || failed)
    refuse("cannot read the messages' file", path.string(), "name a file beside the experiment");
  if (bytes > kLargestFile)
    refuse("the messages' file is larger than 64 MiB", path.string(), "use a smaller one");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> read_json_lines(const std::string& text, const std::string& source) {
  std::vector<std::string> lines;
  std::size_t number = 1;
  for (std::size_t from = 0; from < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string line = text.substr(from, end - from);
    from = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    lines.push_back(parse_json(line, source + ":" + std::to_string(number)).dump());
  }
  return lines;
}

std::unique_ptr<Payload> make_sized(const Json& size, Random random) {
  if (!size.is_object()) {
    const std::uint64_t bytes = parse_size(size);
    if (bytes > kLargestBody)
      refuse("a body larger than 128 MiB", "body.size", "RabbitMQ takes no larger one");
    return std::make_unique<FixedPayload>(filler(bytes), "");
  }
  if (size.contains("profile"))
    return std::make_unique<ProfiledPayload>(Profile::from_json(size.at("profile"), number_of_bytes));
  return std::make_unique<SizedPayload>(Distribution::from_json(size, number_of_bytes), random);
}

std::unique_ptr<Payload> make_rendered(Template text, Random random, std::string_view content_type) {
  if (!text.constant()) return std::make_unique<RenderedPayload>(std::move(text), random, content_type);
  std::string body;
  text.render({}, random, body);
  return std::make_unique<FixedPayload>(std::move(body), content_type);
}

}  // namespace

std::unique_ptr<Payload> Payload::make(const LoadSpec& spec, std::uint64_t seed, std::uint32_t instance) {
  const Random random(seed, "bodies of " + spec.name, instance);
  const std::string kind = spec.body.begin().key();
  const Json& value = spec.body.begin().value();
  const auto listed = [&](std::vector<std::string> bodies,
                          std::string_view type) -> std::unique_ptr<Payload> {
    if (bodies.empty())
      refuse("there is no message in it", "load " + spec.name + ", body." + kind, "add a line");
    return std::make_unique<ListedPayload>(std::move(bodies), instance, spec.instances, type);
  };
  const auto file = [&] { return spec.directory / value.get<std::string>(); };
  if (kind == "size") return make_sized(value, random);
  if (kind == "text") return std::make_unique<FixedPayload>(value.get<std::string>(), "");
  if (kind == "template") return make_rendered(Template::of_text(value.get<std::string>()), random, "");
  if (kind == "json") return make_rendered(Template::of_json(value), random, "application/json");
  if (kind == "lines") return listed(value.get<std::vector<std::string>>(), "");
  if (kind == "csv") return listed(read_csv_rows(read_text(file()), file().string()), "");
  if (kind == "jsonl") return listed(read_json_lines(read_text(file()), file().string()), "application/json");
  refuse("unknown kind of body \"" + kind + "\"", "load " + spec.name + ", body",
         "use size, text, template, json, lines, csv or jsonl");
}

}  // namespace brokerlab
