using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>A program that checks servers (<c>health_check_exec</c>): it runs once for each check and server, without a shell, and ends with 0 where the server is well.</summary>
/// <param name="Path">The program, an absolute path.</param>
/// <param name="Arguments">What it is told. Variables are <c>$upstream_name</c>, <c>$server_name</c>, <c>$server_addr</c>, <c>$server_port</c> and <c>$server_sessions</c>.</param>
public sealed record HealthProgramConfig(string Path, ImmutableArray<TextTemplate> Arguments);
