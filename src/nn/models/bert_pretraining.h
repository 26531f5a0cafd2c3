// BERT's pretraining objectives: masked words, and whether a second segment follows the first. Devlin et al. 2018,
// arXiv 1810.04805, section 3.1.
#pragma once

#include <optional>

#include "nn/models/bert.h"

namespace rapt {

/// BERT with a masked-word head that is tied to the token table and, if it has a pooler, a next-sentence head.
class BertPretraining final : public Network {
 public:
  /// \throws UsageError  as check(config) does
  BertPretraining(const BertConfig& config, Initializer& init);

  const Bert& backbone() const override { return bert_; }
  const BertConfig& config() const { return bert_.config(); }
  bool has_next_sentence() const { return next_sentence_.has_value(); }

  /// Sum over batch.targets of -log p(word) / share.targets, and, with the next-sentence head, sum over sequences of
  /// -log p(label) / share.sequences, [].
  /// \param batch  labels are classes: 0 if the second segment follows the first, 1 if it is random
  Variable loss(const Batch& batch, const LossShare& share, Context& ctx) const override;

  /// The predictions of the heads, without gradients.
  struct Scores {
    Tensor log_probabilities;  ///< [M], natural, of batch.targets
    Tensor predicted;          ///< [M] i32, the most probable word of each row
    Tensor next_sentence;      ///< [B, 2], logits; undefined without a next-sentence head
  };
  Scores scores(const Batch& batch) const;

  /// The logits of every word at these rows [M] of the input, [M, V], without gradients.
  Tensor word_logits(const Stream& input, const Tensor& rows) const;

  void visit(ParameterVisitor& v) override;

 private:
  Variable transformed(const Variable& states, const Tensor& rows) const;

  Bert bert_;
  Linear dense_;
  LayerNorm norm_;
  Variable bias_;  // [V]
  std::optional<Linear> next_sentence_;
};

}  // namespace rapt
