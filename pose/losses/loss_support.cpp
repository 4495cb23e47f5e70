#include "pose/losses/loss_support.h"

#include "tensor/ops.h"

namespace limber {

Tensor weight_of_rank(const Tensor& weight, int rank) {
  check(weight.rank() <= rank, "loss: target weights ", weight.shape(), " for outputs of ", rank,
        " dimensions");
  Shape shape = weight.shape();
  while (shape.rank() < rank) shape = shape.inserted(shape.rank(), 1);
  return reshape(weight, shape);
}

Reduction read_reduction(const Config& config) {
  const auto name = config.get<std::string>("reduction", "mean");
  if (name == "mean") return Reduction::mean;
  if (name == "sum") return Reduction::sum;
  if (name == "none") return Reduction::none;
  fail_input(config.path(), ".reduction: unknown reduction \"", name, "\"",
             did_you_mean(name, {"mean", "sum", "none"}));
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(losses);
    case Reduction::sum:
      return sum(losses);
    case Reduction::none:
      return losses;
  }
  return losses;
}

SimilarityMode read_similarity_mode(const Config& c, const char* fallback) {
  const auto name = c.get<std::string>("mode", fallback);
  if (name == "linear") return SimilarityMode::linear;
  if (name == "square") return SimilarityMode::square;
  if (name == "log") return SimilarityMode::log;
  fail_input(c.path(), ".mode: unknown mode \"", name, "\"",
             did_you_mean(name, {"linear", "square", "log"}));
}

Tensor similarity_loss(SimilarityMode mode, const Tensor& similarity) {
  switch (mode) {
    case SimilarityMode::linear:
      return 1 - similarity;
    case SimilarityMode::square:
      return 1 - square(similarity);
    case SimilarityMode::log:
      break;
  }
  return -log(similarity);
}

Tensor wanted_weight(const LossInput& input, bool wanted, const char* loss) {
  check(!wanted || input.weight.defined(), loss, ": use_target_weight is set, no weights given");
  return wanted ? input.weight : Tensor();
}

std::pair<Tensor, Tensor> weighted_pair(const LossInput& input, bool wanted, const char* loss) {
  const Tensor &output = input.outputs.at(0), &target = input.targets.at(0);
  const Tensor weight = wanted_weight(input, wanted, loss);
  if (!weight.defined()) return {output, target};
  const Tensor spread = weight_of_rank(weight, output.rank());
  return {output * spread, target * spread};
}

}  // namespace limber
