// The average of the weights of several networks: checkpoints of one run, or of runs from the same start. Popel and
// Bojar 2018, "Training Tips for the Transformer Model", arXiv 1804.00247, section 4.10.
#pragma once

#include <string>
#include <vector>

#include "train/files/pretrained.h"

namespace rapt {

/// Sums of weights by name, in double.
class WeightAverage final {
 public:
  /// \param where  name of the network in errors
  /// \throws DataError  if its parameters differ in name or shape from those of the first network
  void add(Module& network, const std::string& where);
  /// Sets the network's parameters to the mean of those that were added. \pre at least one was
  void give(Module& network) const;

 private:
  struct Sum {
    std::string name;
    Shape shape;
    std::vector<double> values;
  };
  std::vector<Sum> sums_;
  std::string first_;  // where they came from
  int count_ = 0;
};

/// The last model with the average of the weights of all of them.
/// \param paths  as in open_pretrained, at least one
/// \throws MissingInputError, DataError  as open_pretrained; if the networks differ
Pretrained average_pretrained(const std::vector<std::string>& paths);

}  // namespace rapt
