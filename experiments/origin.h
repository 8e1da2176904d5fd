#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "experiments/problem.h"

namespace brokerlab {

// The text of a file as it was read, for line numbers in messages.
struct SourceText {
  std::string name;  // as the user named it
  std::string text;
};

// Remembers where each value of a merged document came from: the file itself, a suite's patch, a variant's
// patch, or an option. A plain value; layers are added in the order in which they were merged.
class Origin {
 public:
  // `document` was read from `source`.
  Origin(std::shared_ptr<const SourceText> source, Json document);

  // `patch` stands at `at` in another file, e.g. a suite.
  void add_file_patch(std::shared_ptr<const SourceText> source, const JsonPointer& at, Json patch);
  // `patch` came from an option, shown as it was given.
  void add_option(std::string option, Json patch);
  // `patch` stands at `at` in this document as merged so far, e.g. "/variants/push".
  void add_inner_patch(const JsonPointer& at, Json patch);
  // `patch` sets one value that stands somewhere in the list at `at` of this document: a matrix.
  void add_inner_value(const JsonPointer& at, Json patch);

  // `value` stands at `at` of `base`'s document and lies, below all that was merged before, at `under` of
  // this one: the entry of a role file.
  void add_base(const JsonPointer& under, std::shared_ptr<const Origin> base, const JsonPointer& at,
                Json value);

  // A problem at `at` of the merged document, with source, line and path filled in.
  Problem problem(const JsonPointer& at, std::string what, std::string remedy) const;

 private:
  enum class Kind { kFile, kOption, kInnerPatch, kInnerValue };
  struct Layer {
    Kind kind;
    std::shared_ptr<const SourceText> source;
    JsonPointer at;
    Json patch;
  };

  // Something below everything else, with an origin of its own.
  struct Base {
    std::vector<std::string> under;
    std::shared_ptr<const Origin> origin;
    JsonPointer at;
    Json value;
  };

  bool locate_in_base(const std::vector<std::string>& keys, Problem& problem) const;
  void locate(const JsonPointer& at, std::size_t layers, Problem& problem) const;
  void locate_in(const Layer& layer, std::size_t index, const JsonPointer& rest, Problem& problem) const;

  std::vector<Layer> layers_;
  std::vector<Base> bases_;
};

// The keys of a pointer, from the root.
std::vector<std::string> tokens_of(const JsonPointer& pointer);

}  // namespace brokerlab
