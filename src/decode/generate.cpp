#include "decode/generate.h"

#include <algorithm>
#include <numeric>

namespace rapt {
namespace {

// A text being generated.
struct Text {
  std::size_t prompt = 0;
  std::vector<std::int32_t> history;  // prompt and new tokens
  Rng rng;
  std::int64_t most = 0;                       // new tokens
  std::vector<double> log_probabilities = {};  // of the new tokens
};

// Records a token; returns true if it finishes the text.
bool take(Text& text, const SampledToken& token, Generated& result, const GenerateOptions& options) {
  if (std::ranges::find(options.stop_ids, token.id) != options.stop_ids.end()) {
    result.ended = true;
    return true;
  }
  result.tokens.push_back(token.id);
  text.history.push_back(token.id);
  text.log_probabilities.push_back(token.log_probability);
  if (options.on_token) options.on_token(text.prompt, token.id);
  if (const auto kept = options.stop ? options.stop(text.prompt, result.tokens) : std::nullopt) {
    result.ended = true;
    result.bytes = kept->bytes;
    result.tokens.resize(kept->tokens);
    text.log_probabilities.resize(kept->tokens);
    return true;
  }
  return static_cast<std::int64_t>(result.tokens.size()) >= text.most;
}

}  // namespace

std::vector<Generated> generate(Decoder& decoder, const TokenLists& prompts, const GenerateOptions& options) {
  check(options.sampling);
  check_prompts(decoder, prompts);
  std::vector<Generated> results(prompts.size());
  if (options.max_tokens <= 0 || prompts.empty()) return results;

  std::vector<Text> texts;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    texts.push_back({.prompt = p,
                     .history = prompts[p],
                     .rng = Rng(random_key(options.seed, Purpose::kSampling, p)),
                     .most = most_new_tokens(decoder, prompts[p].size(), options.max_tokens)});
  }
  TokenLists next = prompts;
  while (!texts.empty()) {
    Tensor logits = decoder.advance(next);  // [B, V]
    const auto V = static_cast<std::size_t>(logits.shape()[1]);
    std::vector<Dim> going;
    std::vector<Text> left;
    next.clear();
    for (std::size_t b = 0; b < texts.size(); ++b) {
      const std::span<float> row = logits.span<float>().subspan(b * V, V);
      const Generated& so_far = results[texts[b].prompt];
      require_scores(
          row, "generate",
          "token " + std::to_string(so_far.tokens.size() + 1) + " after prompt " + std::to_string(texts[b].prompt + 1));
      const SampledToken token = sample_token(row, texts[b].history, options.sampling, texts[b].rng);
      Generated& result = results[texts[b].prompt];
      if (take(texts[b], token, result, options)) {
        result.log_probability =
            std::accumulate(texts[b].log_probabilities.begin(), texts[b].log_probabilities.end(), 0.0);
        continue;
      }
      going.push_back(static_cast<Dim>(b));
      next.push_back({token.id});
      left.push_back(std::move(texts[b]));
    }
    if (left.size() < texts.size()) decoder.reorder(going);
    texts = std::move(left);
  }
  return results;
}

}  // namespace rapt
