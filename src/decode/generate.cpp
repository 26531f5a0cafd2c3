#include "decode/generate.h"

#include <algorithm>
#include <numeric>

#include "tensor/parallel.h"

namespace rapt {
namespace {

// A text being generated.
struct Text {
  std::size_t number = 0, prompt = 0;  // of the text; of its prompt among all prompts
  std::vector<std::int32_t> history;   // prompt and new tokens
  Rng rng;
  LengthLimits limits = {};
  std::size_t row = 0;                         // its sequence of the decoder
  std::vector<double> log_probabilities = {};  // of the new tokens
};

// Records a token; returns true if it finishes the text.
bool take(Text& text, const std::optional<SampledToken>& token, Generated& result, const GenerateOptions& options) {
  if (!token) return true;  // the rules leave none
  if (std::ranges::find(options.stop_ids, token->id) != options.stop_ids.end()) {
    result.ended = true;
    return true;
  }
  result.tokens.push_back(token->id);
  text.history.push_back(token->id);
  text.log_probabilities.push_back(token->log_probability);
  if (options.on_token) options.on_token(text.number, token->id);
  if (const auto kept = options.stop ? options.stop(text.prompt, result.tokens) : std::nullopt) {
    result.ended = true;
    result.bytes = kept->bytes;
    result.tokens.resize(kept->tokens);
    text.log_probabilities.resize(kept->tokens);
    return true;
  }
  return static_cast<std::int64_t>(result.tokens.size()) >= text.limits.most;
}

// The next token of each text.
// \param scores  of each sequence of the decoder, [sequences, V]
std::vector<std::optional<SampledToken>> choose(std::vector<Text>& texts, Tensor& scores,
                                                const GenerateOptions& options) {
  const auto V = static_cast<std::size_t>(scores.shape()[1]);
  const auto row_of = [&](std::size_t row) { return scores.span<float>().subspan(row * V, V); };
  for (const Text& text : texts) {
    require_scores(row_of(text.row), "generate", [&] {
      return "token " + std::to_string(text.log_probabilities.size() + 1) + " after prompt " +
             std::to_string(text.prompt + 1);
    });
  }
  std::vector<std::optional<SampledToken>> tokens(texts.size());
  parallel_for(static_cast<Dim>(texts.size()), [&](Dim index) {
    Text& text = texts[static_cast<std::size_t>(index)];
    const std::span<float> shared = row_of(text.row);
    std::vector<float> own;
    if (options.samples > 1) own.assign(shared.begin(), shared.end());  // several texts may begin from one row
    const std::span<float> row = own.empty() ? shared : std::span(own);
    apply(options.constraints, row, text.history, text.log_probabilities.size(), text.limits.least, options.stop_ids);
    tokens[static_cast<std::size_t>(index)] = sample_token(row, options.sampling, text.rng);
  });
  return tokens;
}

void align(const std::vector<Text>& texts, const SourceWeights& weights, std::vector<Generated>& results) {
  for (const Text& text : texts) {
    const auto row = weights.of(text.row);
    results[text.number].alignment.push_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
}

void finish(const Text& text, Generated& result) {
  result.log_probability = std::accumulate(text.log_probabilities.begin(), text.log_probabilities.end(), 0.0);
  if (!result.alignment.empty()) result.alignment.resize(result.tokens.size());
}

}  // namespace

LengthLimits limits_of(const Decoder& decoder, const std::vector<std::int32_t>& tokens,
                       const std::vector<LengthLimits>& limits, std::size_t prompt, std::int64_t max_tokens) {
  LengthLimits result = limits.empty() ? LengthLimits{.most = max_tokens} : limits[prompt];
  const std::optional<Dim> longest = decoder.longest();
  if (longest) result.most = std::min(result.most, *longest - static_cast<Dim>(tokens.size()));
  return result;
}

std::vector<Generated> generate(Decoder& decoder, const TokenLists& prompts, const GenerateOptions& options) {
  check(options.sampling);
  check(options.constraints);
  check_prompts(decoder, prompts);
  std::vector<Generated> results(prompts.size() * options.samples);
  std::vector<Text> texts;
  TokenLists next;
  std::vector<Dim> going;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const LengthLimits limits = limits_of(decoder, prompts[p], options.limits, p, options.max_tokens);
    if (limits.most <= 0) continue;
    const std::size_t prompt = options.numbers.empty() ? p : options.numbers[p];
    for (std::size_t s = 0; s < options.samples; ++s) {
      const std::size_t number = p * options.samples + s;
      texts.push_back({.number = number,
                       .prompt = prompt,
                       .history = prompts[p],
                       .rng = Rng(random_key(options.seed, Purpose::kSampling, prompt * options.samples + s)),
                       .limits = limits,
                       .row = next.size()});
    }
    next.push_back(prompts[p]);
    going.push_back(static_cast<Dim>(p));
  }
  if (next.size() < prompts.size() && !next.empty()) decoder.reorder(going);
  const bool aligns = options.alignment && decoder.keep_attention();
  while (!texts.empty()) {
    Tensor scores = decoder.advance(next);  // [sequences, V]
    if (aligns) align(texts, decoder.attention(), results);
    const auto tokens = choose(texts, scores, options);
    const std::size_t sequences = next.size();
    std::vector<Text> left;
    going.clear();
    next.clear();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Text& text = texts[i];
      if (take(text, tokens[i], results[text.number], options)) {
        finish(text, results[text.number]);
        continue;
      }
      going.push_back(static_cast<Dim>(text.row));
      next.push_back({tokens[i]->id});
      text.row = left.size();
      left.push_back(std::move(text));
    }
    if (left.size() != sequences || options.samples > 1) decoder.reorder(going);
    texts = std::move(left);
  }
  return results;
}

}  // namespace rapt
