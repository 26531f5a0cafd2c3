#include "text/pairs/source_frame.h"

#include <algorithm>

#include "text/tokenizer/post_processor.h"

namespace rapt {

FramedSource frame_source(const Tokenizer& tokenizer, std::vector<std::int32_t> text, std::int32_t end,
                          std::size_t longest) {
  const std::vector<std::int32_t> around = tokenizer.frame(std::span<const std::int32_t>()).ids;
  const std::size_t room = longest - std::min(longest, std::max<std::size_t>(1, around.size()));
  FramedSource result;
  result.cut = text.size() > room;
  if (result.cut) text.resize(room);
  if (around.empty()) {
    result.ids = std::move(text);
    result.ids.push_back(end);
    return result;
  }
  result.ids = tokenizer.frame(text).ids;
  while (!text.empty() && result.front + text.size() < result.ids.size() &&
         !std::equal(text.begin(), text.end(), result.ids.begin() + static_cast<std::ptrdiff_t>(result.front))) {
    ++result.front;
  }
  return result;
}

}  // namespace rapt
