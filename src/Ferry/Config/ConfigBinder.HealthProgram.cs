using System.Collections.Immutable;
using System.IO;
using System.Linq;

namespace Ferry.Config;

/// <summary>Checks by a program.</summary>
internal sealed partial class ConfigBinder
{
    public void SetHealthProgram(ConfigNode node)
    {
        if (_upstream is null)
            return;
        _upstream.HealthProgramLine = node;
        var path = node.Arguments[0];
        var fault = ProgramFault(path.Text);
        if (fault is not null)
            findings.Error(path, $"\"{node.Name.Text}\" cannot run {ConfigFindings.Show(path.Text)}: {fault}");
        else if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path.Text).HasFlag(UnixFileMode.OtherWrite))
            findings.Warning(path, $"every user of this machine can change {ConfigFindings.Show(path.Text)}, and so run programs as the user that Ferry runs as: chmod o-w");
        var arguments = ImmutableArray.CreateBuilder<TextTemplate>(node.Arguments.Count - 1);
        foreach (var word in node.Arguments.Skip(1))
        {
            if (word.Text.Length > HealthDraft.LongestText || word.Text.Contains('\0', StringComparison.Ordinal))
                findings.Error(word, $"an argument of \"{node.Name.Text}\" has at most {HealthDraft.LongestText} characters, and no zero byte");
            else if (ConfigVariables.ParseArgument(word, findings) is { } argument)
                arguments.Add(argument);
        }
        if (fault is null && arguments.Count == node.Arguments.Count - 1)
            _upstream.HealthProgram = new HealthProgramConfig(path.Text, arguments.ToImmutable());
    }

    private static string? ProgramFault(string path)
    {
        if (!path.StartsWith('/'))
            return "a program is named by its absolute path";
        if (Directory.Exists(path))
            return "it is a folder";
        if (!File.Exists(path))
            return "there is no such program";
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & Executable) != 0 ? null : "it is not executable: chmod +x";
    }

    /// <summary>Looks at what stands beside a program once all of the block is known.</summary>
    private void CheckHealthProgram(UpstreamDraft upstream)
    {
        if (upstream.HealthProgramLine is not { } line)
            return;
        upstream.HealthCheck ??= new HealthDraft(new HealthCheckConfig { Position = line.Position }, false);
        if (upstream.HealthCheck.Check is not { } check)
        {
            findings.Error(line.Name, $"\"{line.Name.Text}\" has no effect beside \"health_check off\"");
            return;
        }
        foreach (var key in new[] { "type", "user", "password_file", "path", "expect", "tls", "match" })
        {
            if (upstream.HealthCheck.Seen.TryGetValue(key, out var argument))
                findings.Error(argument, $"\"{key}=\" has no effect with \"{line.Name.Text}\": the program says what is checked");
        }
        upstream.HealthCheck = upstream.HealthCheck with { Check = check with { Program = upstream.HealthProgram } };
    }
}
