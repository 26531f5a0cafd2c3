// Where each part of a normalised text comes from in the text as it was.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// A text's normalised form and the way back from it.
///
/// The text is taken apart, each part is normalised for itself, and where the results joined are the text's normalised
/// form, each byte of that comes from its part. Parts are characters with the accents behind them; where that does not
/// give the normalised form (a rule looks at more than one character), words; where words do not either, the whole
/// text.
class Alignment final {
 public:
  /// The text as it is.
  explicit Alignment(std::string_view text) : normal_(text) {}
  Alignment(const Normalizer& normalizer, std::string_view text);

  const std::string& normal() const { return normal_; }

  /// The smallest stretch of parts that gave these bytes of the normalised text; `begin` < `end`.
  TokenSpan origin(std::size_t begin, std::size_t end) const;

 private:
  struct Part {
    std::size_t normal_end;  // where it begins is where the one before ends
    TokenSpan origin;
  };

  std::string normal_;
  std::vector<Part> parts_;  // none: as it was
};

}  // namespace rapt
