using BenchmarkDotNet.Running;

// Without arguments it asks which class to run; `--filter '*'` runs them all, `--list flat` names them.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
