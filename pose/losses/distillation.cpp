#include "pose/losses/distillation.h"

#include <optional>

#include "nn/layers.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// The keys by which a distiller's config lists its losses.
void read_entry(const Config& c) {
  c.find("name");
  c.find("use_this");
}

struct FeaLoss : Loss {
  double alpha;
  std::optional<Conv2d> align;

  FeaLoss(const Config& c, const Scope& s) : alpha(c.get("alpha_fea", 7e-5)) {
    read_entry(c);
    const auto in = c.get<int64_t>("student_channels"), out = c.get<int64_t>("teacher_channels");
    if (in != out) align.emplace(s / "align", ConvOptions{.in = in, .out = out});
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor student = align ? (*align)(in.outputs.at(0)) : in.outputs.at(0);
    const Tensor& teacher = in.targets.at(0);
    check(student.shape() == teacher.shape(), "FeaLoss: features ", student.shape(),
          " of the student, ", teacher.shape(), " of the teacher");
    return {sum(square(student - teacher)) * (alpha / double(teacher.size(0)))};
  }
};

struct KDLoss : Loss {
  double weight;

  explicit KDLoss(const Config& c) : weight(c.get("weight", 1.0)) { read_entry(c); }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const size_t axes = in.outputs.size();
    check(axes > 0 && (in.targets.size() == axes || in.targets.size() == axes + 1),
          "KDLoss: ", axes, " outputs, ", in.targets.size(), " targets");
    const double beta = in.targets.size() > axes ? in.targets[axes].item() : 1;
    Tensor total;
    for (size_t axis = 0; axis < axes; ++axis) {
      const Tensor one = divergence(in.outputs[axis], in.targets[axis], beta);
      total = total.defined() ? total + one : one;
    }
    return {total * (weight / double(in.outputs[0].size(0) * in.outputs[0].size(1)))};
  }

  static Tensor divergence(const Tensor& student, const Tensor& teacher, double beta) {
    check(student.shape() == teacher.shape(), "KDLoss: logits ", student.shape(),
          " of the student, ", teacher.shape(), " of the teacher");
    Tensor p, log_p;
    {
      const NoRecord no_record;
      log_p = log_softmax(teacher * beta);
      p = exp(log_p);
    }
    // Term by term: as a difference of two sums it would be noise where the two nearly agree.
    return sum(p * (log_p - log_softmax(student * beta)));
  }
};

}  // namespace

std::unique_ptr<Loss> make_feature_distillation(const Config& config, const Scope& scope) {
  return std::make_unique<FeaLoss>(config, scope);
}

std::unique_ptr<Loss> make_logit_distillation(const Config& config, const Scope&) {
  return std::make_unique<KDLoss>(config);
}

}  // namespace limber
