#include "pose/backbones/residual.h"

namespace limber {

ConvOptions conv3x3(int64_t in, int64_t out, int stride, int dilation) {
  ConvOptions o = ConvOptions::square(in, out, 3, stride);
  o.padding = o.dilation = {dilation, dilation};
  return o;
}

Scope norm_scope(const Scope& s, const BlockOptions& o, int index) {
  return s / (std::string(norm_leaf(o.norm.type)) + std::to_string(index));
}

namespace {

// conv 3x3, norm, ReLU, conv 3x3, norm, + shortcut, ReLU; figure 5 left.
struct BasicBlock : ResidualBlock {
  Conv2d conv1;
  Norm norm1;
  Conv2d conv2;
  Norm norm2;
  Shortcut shortcut;
  BasicBlock(const Scope& s, const BlockOptions& o)
      : conv1(s / "conv1", conv3x3(o.in, o.out / o.expansion, o.stride, o.dilation)),
        norm1(norm_scope(s, o, 1), o.out / o.expansion, o.norm),
        conv2(s / "conv2", conv3x3(o.out / o.expansion, o.out, 1, 1)),
        norm2(norm_scope(s, o, 2), o.out, o.norm),
        shortcut(s, o) {}
  Tensor operator()(const Tensor& x) const override {
    return relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut(x));
  }
};

ConvOptions middle_conv(const BlockOptions& o) {
  ConvOptions c = conv3x3(o.width(), o.width(), o.stride_first ? 1 : o.stride, o.dilation);
  if (o.kernel != 3) {  // ViPNAS pads these without regard to the dilation
    c.kernel = {o.kernel, o.kernel};
    c.padding = {o.kernel / 2, o.kernel / 2};
  }
  c.groups = o.groups;
  return c;
}

// 1x1 down, 3x3, 1x1 up; figure 5 right.
struct Bottleneck : ResidualBlock {
  Conv2d conv1;
  Norm norm1;
  Conv2d conv2;
  Norm norm2;
  Conv2d conv3;
  Norm norm3;
  Shortcut shortcut;
  BlockGate gate;
  Bottleneck(const Scope& s, const BlockOptions& o, BlockGate g)
      : conv1(s / "conv1", ConvOptions::square(o.in, o.width(), 1, o.stride_first ? o.stride : 1)),
        norm1(norm_scope(s, o, 1), o.width(), o.norm),
        conv2(s / "conv2", middle_conv(o)),
        norm2(norm_scope(s, o, 2), o.width(), o.norm),
        conv3(s / "conv3", ConvOptions::square(o.width(), o.out, 1)),
        norm3(norm_scope(s, o, 3), o.out, o.norm),
        shortcut(s, o),
        gate(std::move(g)) {}
  Tensor operator()(const Tensor& x) const override {
    const Tensor y = norm3(conv3(relu(norm2(conv2(relu(norm1(conv1(x))))))));
    return relu((gate ? gate(y) : y) + shortcut(x));
  }
};

}  // namespace

Shortcut::Shortcut(const Scope& block, const BlockOptions& o) {
  if (!o.downsample) return;
  const Scope s = block / "downsample";
  int child = 0, stride = o.stride;
  if (o.avg_down && stride != 1) {
    pool = PoolGeometry{.kernel = {stride, stride},
                        .stride = {stride, stride},
                        .ceil_mode = true,
                        .count_include_pad = false};
    stride = 1;
    ++child;
  }
  const Scope conv_scope = o.named_shortcut ? s / "conv" : s / child;
  conv = Conv2d(conv_scope, ConvOptions::square(o.in, o.out, 1, stride));
  norm = Norm(o.named_shortcut ? s / norm_leaf(o.norm.type) : s / (child + 1), o.out, o.norm);
}

Tensor Shortcut::operator()(const Tensor& x) const {
  return conv ? norm((*conv)(pool ? avg_pool2d(x, *pool) : x)) : x;
}

std::unique_ptr<ResidualBlock> basic_block(const Scope& s, const BlockOptions& o) {
  return std::make_unique<BasicBlock>(s, o);
}

std::unique_ptr<ResidualBlock> bottleneck(const Scope& s, const BlockOptions& o) {
  return std::make_unique<Bottleneck>(s, o, BlockGate());
}

std::unique_ptr<ResidualBlock> gated_bottleneck(const Scope& s, const BlockOptions& o,
                                                BlockGate gate) {
  return std::make_unique<Bottleneck>(s, o, std::move(gate));
}

ResidualStage::ResidualStage(const Scope& s, int count, BlockOptions o, const BlockFactory& make,
                             bool change_last) {
  const int changing = change_last ? count - 1 : 0;
  for (int i = 0; i < count; ++i) {
    BlockOptions block = o;
    block.index = i;
    block.in = i <= changing ? o.in : o.out;
    block.out = i < changing ? o.in : o.out;
    if (i != changing) block.stride = 1;
    block.downsample = block.stride != 1 || block.in != block.out;
    blocks.push_back(make(s / i, block));
  }
}

Tensor ResidualStage::operator()(Tensor x) const {
  for (const auto& block : blocks) x = (*block)(x);
  return x;
}

}  // namespace limber
