#include "actors/broker.hpp"

int main(int argc, char** argv) {
  return tandem::run_broker(argc, argv, tandem::built_in_extensions());
}
