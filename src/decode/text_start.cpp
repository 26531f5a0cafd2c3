#include "decode/text_start.h"

#include "tensor/error.h"
#include "text/utf8.h"

namespace rapt {

// Empty if the vocabulary has no newline, as with characters of a text without newlines, or with words.
static std::vector<std::int32_t> newline_ids(const Tokenizer& tokenizer) {
  try {
    std::vector<std::int32_t> ids = tokenizer.encode("\n");
    if (tokenizer.decode(ids) == "\n") return ids;
  } catch (const DataError&) {
  }
  return {};
}

TextStart text_start(const Tokenizer& tokenizer, std::optional<std::int32_t> end_of_text,
                     const std::function<std::optional<std::int32_t>(std::size_t i)>& token) {
  if (end_of_text) return {{*end_of_text}, ""};
  if (std::vector<std::int32_t> ids = newline_ids(tokenizer); !ids.empty()) return {std::move(ids), ""};
  constexpr std::size_t kMost = 16;  // bytes of four characters
  TextStart start;
  do {
    const std::optional<std::int32_t> next = token(start.ids.size());
    if (!next) break;
    start.ids.push_back(*next);
    start.shown = tokenizer.decode(start.ids, true);
  } while (start.ids.size() < kMost && (start.shown.empty() || find_invalid_utf8(start.shown).has_value()));
  start.shown = utf8_lossy(start.shown);
  return start;
}

}  // namespace rapt
