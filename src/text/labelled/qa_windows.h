// Fits a question and a long context into a model's inputs with windows that slide over the context's tokens, as in
// BERT's reference code (google-research/bert, run_squad.py; Devlin et al. 2019, arXiv 1810.04805, section 4.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/tokenizer/token_span.h"

namespace rapt {

/// A text's tokens: ids[i] covers bytes[i]. Both have the same length.
struct PlacedTokens {
  std::span<const std::int32_t> ids;
  std::span<const TokenSpan> bytes;
};

/// Tokens [first, end) of a text.
struct AnswerTokens {
  std::size_t first = 0, end = 0;
  bool empty() const { return first == end; }
  bool operator==(const AnswerTokens&) const = default;
};

struct QaWindowOptions {
  std::int64_t length = 384;       ///< maximum input length, including special tokens
  std::int64_t stride = 128;       ///< tokens between the starts of two windows
  std::int64_t query_length = 64;  ///< maximum question length; the rest is cut off
  /// Special tokens around the question and the context: [CLS] question [SEP] context [SEP].
  std::vector<std::int32_t> before = {}, between = {}, after = {};
};

/// One input: special tokens, question, window of the context.
struct QaWindow {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> segments;  ///< 0 up to the context, then 1
  std::size_t offset = 0;              ///< index in `tokens` of the window's first context token
  std::size_t first = 0, count = 0;    ///< the range of context tokens: [first, first + count)
  /// For each of its context tokens, whether this window gives the token the most context. An answer may start only
  /// there, so a token in two windows counts once.
  std::vector<bool> most_context;
  /// Targets: indices in `tokens` of the answer's first and last token; both 0, the first special token, if the window
  /// does not contain the whole answer.
  std::size_t start = 0, end = 0;
};

/// The context's tokens that cover the bytes [begin, end); none if there are none. Tokens that extend beyond them are
/// included, such as a word of which the answer is a part.
AnswerTokens answer_tokens(const PlacedTokens& context, std::size_t begin, std::size_t end);

/// The windows of one question, at least one. The last one ends with the context.
///
/// \param answer  position of the answer in the context, in bytes, for training
/// \throws UsageError  for a length that leaves no room for the context; for a stride or a query length below 1
std::vector<QaWindow> qa_windows(std::span<const std::int32_t> question, const PlacedTokens& context,
                                 const std::optional<TokenSpan>& answer, const QaWindowOptions& options);

}  // namespace rapt
