// The entry point of every test program: Boost.Test linked dynamically wants exactly one.
#define BOOST_TEST_MODULE penstock
#include <boost/test/unit_test.hpp>
