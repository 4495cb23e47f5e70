#include "pose/codecs/codec.h"
#include "pose/core/factory.h"

namespace limber {

std::unique_ptr<Codec> make_codec(const Config& config) {
  fail_input(config.path(), ".type: unknown codec \"", config.type(), "\"");
}

}  // namespace limber
