namespace Ferry.Transport.Linux;

/// <summary>How a program has ended.</summary>
/// <param name="ExitCode">What it said at its end; null where a signal has ended it, or nobody knows.</param>
/// <param name="Signal">The signal that has ended it; 0: none.</param>
/// <param name="FirstLine">The first line of what it printed that has anything in it, short and without control characters; empty where there is none.</param>
/// <param name="PrintedTooMuch">It was killed for what it printed.</param>
internal readonly record struct ProgramEnd(int? ExitCode, int Signal, string FirstLine, bool PrintedTooMuch);
