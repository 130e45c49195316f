"""What every floor stands on: texts in two languages, problems, columns as data, results, safe files."""
