#include "train/models/model_size.h"

#include "train/models/family.h"

namespace rapt {

ModelSize model_size(const TrainConfig& config, VocabularySizes vocabulary, double length) {
  return family_of(config).size(config, vocabulary, length);
}

}  // namespace rapt
