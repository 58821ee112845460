// SPDX-License-Identifier: Apache-2.0
// payroll [FILE]: greets with $GREETING and adds up a payroll, whose lines are
// a name and an amount, from a file or the standard input.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <string>

static std::map<std::string, long> read(std::istream &in)
{
	std::map<std::string, long> people;
	std::string name;
	for (long amount; in >> name >> amount;)
		people[name] += amount;
	return people;
}

int main(int argc, char **argv)
{
	const char *greeting = std::getenv("GREETING");
	std::cout << (greeting ? greeting : "hello")
		  << " from C++ inside a Keep\n";
	std::ifstream file;
	if (argc > 1) {
		file.open(argv[1]);
		if (!file) {
			std::cerr << argv[1] << ": can't be read\n";
			return 1;
		}
	}
	const auto people = read(argc > 1 ? file : std::cin);
	const long total = std::accumulate(people.begin(), people.end(), 0l,
		[](long sum, const auto &p) { return sum + p.second; });
	std::cout << people.size() << " people earn " << total << '\n';
}
