// Maps each part of a normalised text back to the original text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A text's normalised form, and the mapping back to the original.
///
/// The text is split into parts and each part is normalised separately. If the results together are the text's
/// normalised form, each byte of it comes from its part. The parts are characters with their accents; if that does not
/// give the normalised form (because a rule looks at more than one character), words; if words do not either, the whole
/// text.
class Alignment final {
 public:
  /// The text without normalisation.
  explicit Alignment(std::string_view text) : normal_(text) {}
  Alignment(const Normalizer& normalizer, std::string_view text);

  const std::string& normal() const { return normal_; }

  /// The smallest range of parts that produced these bytes of the normalised text; `begin` < `end`.
  TokenSpan origin(std::size_t begin, std::size_t end) const;

 private:
  struct Part {
    std::size_t normal_end;  // it starts where the previous part ends
    TokenSpan origin;
  };

  std::string normal_;
  std::vector<Part> parts_;  // empty: not normalised
};

}  // namespace rapt
