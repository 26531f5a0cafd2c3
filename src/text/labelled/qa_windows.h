// A question and a long context as inputs that fit a model: windows that slide over the context's tokens, as BERT's
// reference code makes them (google-research/bert, run_squad.py; Devlin et al. 2019, arXiv 1810.04805, section 4.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/tokenizer/token_span.h"

namespace rapt {

/// A text's tokens: ids[i] stands at bytes[i]. Both have the same length.
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
  std::int64_t length = 384;       ///< longest input, special tokens included
  std::int64_t stride = 128;       ///< tokens from the beginning of one window to that of the next
  std::int64_t query_length = 64;  ///< longest question; what is over is cut off
  /// Special tokens around the question and the context: [CLS] question [SEP] context [SEP].
  std::vector<std::int32_t> before = {}, between = {}, after = {};
};

/// One input: special tokens, question, window of the context.
struct QaWindow {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> segments;  ///< 0 up to the context, then 1
  std::size_t offset = 0;              ///< index in `tokens` of the window's first context token
  std::size_t first = 0, count = 0;    ///< which tokens of the context: [first, first + count)
  /// Whether the window is the one that shows the most around a token, for each of its context tokens: only there may
  /// an answer begin, so that a token in two windows counts once.
  std::vector<bool> most_context;
  /// Targets: indices in `tokens` of the answer's first and last token; both 0, the first special token, where the
  /// window does not hold the whole answer.
  std::size_t start = 0, end = 0;
};

/// The context's tokens that the bytes [begin, end) cover; none if there are none. Tokens that reach beyond them count,
/// as a word does of which the answer is a part.
AnswerTokens answer_tokens(const PlacedTokens& context, std::size_t begin, std::size_t end);

/// The windows of one question, at least one. The last one ends with the context.
///
/// \param answer  bytes of the context at which the answer stands, for training
/// \throws UsageError  a length that leaves no room for the context; a stride or a query length below 1
std::vector<QaWindow> qa_windows(std::span<const std::int32_t> question, const PlacedTokens& context,
                                 const std::optional<TokenSpan>& answer, const QaWindowOptions& options);

}  // namespace rapt
