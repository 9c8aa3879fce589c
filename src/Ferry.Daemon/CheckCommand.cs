using System.Collections.Immutable;
using System.Linq;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Daemon;

/// <summary><c>ferryd check</c>, and NGINX's <c>-t</c> and <c>-T</c>: is the configuration right?</summary>
internal static class CheckCommand
{
    public const string Text = "text";
    public const string Json = "json";

    /// <summary><c>-t</c>, <c>-T</c>: in NGINX's words, on the standard error stream.</summary>
    public static async Task<int> TestAsync(RunArguments arguments, bool printEffective)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        var findings = await FindAsync(file).ConfigureAwait(false);
        Report.Diagnostics(findings, arguments.Quiet ? ConfigSeverity.Error : ConfigSeverity.Note);
        if (file.Config is not null && !arguments.Quiet)
            Report.Error($"the configuration file {arguments.File} syntax is ok");
        if (HasErrors(findings))
        {
            Report.Error($"configuration file {arguments.File} test failed");
            return ExitCode.Failure;
        }
        if (!arguments.Quiet)
            Report.Error($"configuration file {arguments.File} test is successful");
        if (printEffective)
        {
            file.WriteEffective(Console.Out);
            Console.Out.Flush();
        }
        return ExitCode.Ok;
    }

    /// <summary><c>check</c>: the findings are the output, for people or for programs.</summary>
    public static async Task<int> CheckAsync(RunArguments arguments, string format)
    {
        var file = ConfigFile.Load(arguments.File, arguments.Prefix);
        var findings = await FindAsync(file).ConfigureAwait(false);
        if (arguments.Quiet)
            findings = [.. findings.Where(finding => finding.Severity == ConfigSeverity.Error)];
        if (format == Json)
            WriteJson(findings);
        else
            WriteText(findings, arguments);
        return HasErrors(findings) ? ExitCode.Failure : ExitCode.Ok;
    }

    private static async Task<ImmutableArray<ConfigDiagnostic>> FindAsync(ConfigFile file) => file.Config is { } config
        ? [.. file.Diagnostics, .. await FerryProxy.CheckAsync(config).ConfigureAwait(false)]
        : file.Diagnostics;

    private static bool HasErrors(ImmutableArray<ConfigDiagnostic> findings) =>
        findings.Any(finding => finding.Severity == ConfigSeverity.Error);

    private static void WriteText(ImmutableArray<ConfigDiagnostic> findings, RunArguments arguments)
    {
        foreach (var finding in findings)
            Console.Out.WriteLine(finding.Format());
        if (arguments.Quiet)
            return;
        var counts = findings.CountBy(finding => finding.Severity).ToDictionary();
        Console.Out.WriteLine($"{arguments.File}: " + string.Join(", ",
            new[] { (ConfigSeverity.Error, "error"), (ConfigSeverity.Warning, "warning"), (ConfigSeverity.Note, "note") }
                .Select(kind => Count(counts.GetValueOrDefault(kind.Item1), kind.Item2))));
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static void WriteJson(ImmutableArray<ConfigDiagnostic> findings)
    {
        using var output = Console.OpenStandardOutput();
        // Relaxed: it goes to a terminal or a program, never into a page, and people's comments are not all in ASCII.
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var finding in findings)
            {
                json.WriteStartObject();
                json.WriteString("file", finding.Position.File);
                json.WriteNumber("line", finding.Position.Line);
                json.WriteNumber("column", finding.Position.Column);
                json.WriteString("severity", finding.Severity switch
                {
                    ConfigSeverity.Note => "note",
                    ConfigSeverity.Warning => "warning",
                    _ => "error",
                });
                json.WriteString("message", finding.Message);
                json.WriteString("source", finding.SourceLine);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        output.WriteByte((byte)'\n');
    }
}
