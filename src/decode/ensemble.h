// Several networks that decode together.
#pragma once

#include <memory>
#include <vector>

#include "decode/decoder.h"

namespace rapt {

/// How an ensemble combines the probabilities of its networks. The averages of logarithms do not sum to 1; they are
/// normalised.
enum class EnsembleMean {
  kProbabilities,  ///< the mean of the probabilities
  kLogarithms,     ///< the mean of their logarithms, normalised: a token needs the consent of every network
};

/// A decoder whose probabilities are the average of several decoders' with the same vocabulary: checkpoints of a run,
/// or networks of different families. Its attention is the average of those of the decoders that have one.
class EnsembleDecoder final : public Decoder {
 public:
  /// \throws UsageError  if the vocabularies differ
  EnsembleDecoder(std::vector<std::unique_ptr<Decoder>> members, EnsembleMean mean = EnsembleMean::kProbabilities);

  Dim vocabulary() const override { return members_.front()->vocabulary(); }
  /// The smallest one.
  std::optional<Dim> longest() const override;
  std::size_t sequences() const override { return members_.front()->sequences(); }
  /// \return  logarithms of probabilities
  Tensor advance(const TokenLists& tokens) override;
  void reorder(std::span<const Dim> from) override;
  bool keep_attention() override;
  SourceWeights attention() const override;

 private:
  std::vector<std::unique_ptr<Decoder>> members_;
  EnsembleMean mean_;
  std::vector<const Decoder*> attentive_ = {};  // members whose attention is kept
};

}  // namespace rapt
