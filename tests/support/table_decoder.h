// A decoder that is not a network: the scores of the next token are a table, which can be searched completely. Texts
// have a source that they attend to, a maximum length and no cache.
#pragma once

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "decode/decoder.h"
#include "tensor/random.h"

namespace rapt::testing {

inline constexpr std::int32_t kTableVocabulary = 4, kTableStop = 3;
inline constexpr std::size_t kTableSource = 3;  // tokens of a source

inline Rng table_rng(std::int32_t source, const std::vector<std::int32_t>& text, std::int32_t entry) {
  std::uint64_t place = text.size();
  for (const std::int32_t id : text) place = place * 5 + static_cast<std::uint64_t>(id) + 1;
  return Rng(
      random_key(static_cast<std::uint64_t>(source), Purpose::kText, place * 8 + static_cast<std::uint64_t>(entry)));
}

/// The score of `token` after `text`, including the prompt, for a source.
inline float table_score(std::int32_t source, const std::vector<std::int32_t>& text, std::int32_t token) {
  return static_cast<float>(3 * table_rng(source, text, token).uniform());
}

/// The attention of the last token of `text`.
inline std::vector<float> table_attention(std::int32_t source, const std::vector<std::int32_t>& text) {
  Rng rng = table_rng(source, text, kTableVocabulary);
  std::vector<float> weights;
  float sum = 0;
  for (std::size_t i = 0; i < kTableSource; ++i) sum += weights.emplace_back(static_cast<float>(rng.uniform()));
  for (float& w : weights) w /= sum;
  return weights;
}

class TableDecoder final : public Decoder {
 public:
  explicit TableDecoder(const std::vector<std::int32_t>& sources, std::optional<Dim> longest = std::nullopt)
      : longest_(longest) {
    for (const std::int32_t source : sources) texts_.push_back({source, {}});
  }

  Dim vocabulary() const override { return kTableVocabulary; }
  std::optional<Dim> longest() const override { return longest_; }
  std::size_t sequences() const override { return texts_.size(); }

  Tensor advance(const TokenLists& tokens) override {
    REQUIRE(tokens.size() == texts_.size());
    Tensor scores = Tensor::empty({static_cast<Dim>(texts_.size()), kTableVocabulary});
    for (std::size_t b = 0; b < texts_.size(); ++b) {
      auto& [source, text] = texts_[b];
      REQUIRE_FALSE(tokens[b].empty());
      text.insert(text.end(), tokens[b].begin(), tokens[b].end());
      REQUIRE((!longest_ || static_cast<Dim>(text.size()) <= *longest_));
      for (std::int32_t v = 0; v < kTableVocabulary; ++v) {
        scores.data<float>()[static_cast<Dim>(b) * kTableVocabulary + v] = table_score(source, text, v);
      }
    }
    return scores;
  }

  void reorder(std::span<const Dim> from) override {
    std::vector<std::pair<std::int32_t, std::vector<std::int32_t>>> texts;
    for (const Dim source : from) texts.push_back(texts_[static_cast<std::size_t>(source)]);
    texts_ = std::move(texts);
  }

  bool keep_attention() override { return keeps_attention_ = true; }
  SourceWeights attention() const override {
    REQUIRE(keeps_attention_);
    SourceWeights result{.offsets = {0}, .weights = {}};
    for (const auto& [source, text] : texts_) {
      const auto row = table_attention(source, text);
      result.weights.insert(result.weights.end(), row.begin(), row.end());
      result.offsets.push_back(result.weights.size());
    }
    return result;
  }

 private:
  std::vector<std::pair<std::int32_t, std::vector<std::int32_t>>> texts_;  // each with its source
  std::optional<Dim> longest_;
  bool keeps_attention_ = false;
};

}  // namespace rapt::testing
