#include "text/labelled/qa_windows.h"

#include <algorithm>
#include <string>

#include "tensor/error.h"

namespace rapt {

AnswerTokens answer_tokens(const PlacedTokens& context, std::size_t begin, std::size_t end) {
  AnswerTokens found;
  for (std::size_t i = 0; i < context.bytes.size(); ++i) {
    const TokenSpan& token = context.bytes[i];
    if (token.end <= begin || token.begin >= end || token.begin == token.end) continue;
    if (found.empty()) found.first = i;
    found.end = i + 1;
  }
  return found;
}

// The context that a window gives a token: the smaller number of its neighbours before and after; of equal ones the
// longer window (run_squad.py adds a hundredth of its length), then the first.
static double context_of(const QaWindow& window, std::size_t token) {
  const std::size_t before = token - window.first, behind = window.first + window.count - 1 - token;
  return static_cast<double>(std::min(before, behind)) + 0.01 * static_cast<double>(window.count);
}

static void mark_most_context(std::vector<QaWindow>& windows, std::size_t tokens) {
  // Windows start and end in order, so those that contain a token are adjacent.
  std::size_t begin = 0;
  for (std::size_t token = 0; token < tokens; ++token) {
    while (windows[begin].first + windows[begin].count <= token) ++begin;
    std::size_t best = begin;
    for (std::size_t w = begin + 1; w < windows.size() && windows[w].first <= token; ++w) {
      if (context_of(windows[w], token) > context_of(windows[best], token)) best = w;
    }
    windows[best].most_context[token - windows[best].first] = true;
  }
}

static void require_room(const QaWindowOptions& options, std::int64_t room) {
  if (options.stride < 1) {
    throw UsageError("qa: the stride must be at least 1, got " + std::to_string(options.stride));
  }
  if (options.query_length < 1) {
    throw UsageError("qa: the longest question must have at least 1 token, got " +
                     std::to_string(options.query_length));
  }
  if (room < 1) {
    throw UsageError("qa: the length must leave room for the context beside " + std::to_string(options.query_length) +
                     " tokens of the question and the special tokens, got " + std::to_string(options.length) +
                     "; raise --max-length or --context");
  }
}

std::vector<QaWindow> qa_windows(std::span<const std::int32_t> question, const PlacedTokens& context,
                                 const std::optional<TokenSpan>& answer, const QaWindowOptions& options) {
  const auto specials =
      static_cast<std::int64_t>(options.before.size() + options.between.size() + options.after.size());
  require_room(options, options.length - options.query_length - specials);
  question = question.first(std::min(question.size(), static_cast<std::size_t>(options.query_length)));
  const std::size_t room = static_cast<std::size_t>(options.length - specials) - question.size();
  const std::size_t total = context.ids.size();
  const AnswerTokens covered = answer ? answer_tokens(context, answer->begin, answer->end) : AnswerTokens{};

  std::vector<QaWindow> windows;
  for (std::size_t first = 0;;) {
    QaWindow& window = windows.emplace_back();
    window.first = first;
    window.count = std::min(total - first, room);
    const auto add = [&](std::span<const std::int32_t> ids, std::int32_t segment) {
      window.tokens.insert(window.tokens.end(), ids.begin(), ids.end());
      window.segments.resize(window.tokens.size(), segment);
    };
    add(options.before, 0);
    add(question, 0);
    add(options.between, 0);
    window.offset = window.tokens.size();
    add(context.ids.subspan(first, window.count), 1);
    add(options.after, 1);
    window.most_context.assign(window.count, false);
    if (!covered.empty() && covered.first >= first && covered.end <= first + window.count) {
      window.start = window.offset + covered.first - first;
      window.end = window.offset + covered.end - 1 - first;
    }
    if (first + window.count == total) break;
    first += std::min(window.count, static_cast<std::size_t>(options.stride));
  }
  mark_most_context(windows, total);
  return windows;
}

}  // namespace rapt
