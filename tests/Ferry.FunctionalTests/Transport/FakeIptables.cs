using System.IO;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Programs in the place of iptables and ip6tables, which change nothing and write down what they were to change.</summary>
internal sealed class FakeIptables : IDisposable
{
    private readonly TempFolder _folder = new();

    public FakeIptables()
    {
        foreach (var program in (string[])["iptables", "ip6tables"])
        {
            // A jump is never there yet.
            Write(program, "exit 1");
            Write($"{program}-restore", $"""
                [ -e "{_folder["broken-"]}{program}" ] && echo "no such luck" >&2 && exit 4
                echo "{program}" >> "{_folder["said"]}"
                cat >> "{_folder["said"]}"
                """);
        }
    }

    public string ForIPv4 => _folder["iptables"];

    public string ForIPv6 => _folder["ip6tables"];

    /// <summary>What they were told since this was asked last.</summary>
    public string Said()
    {
        if (!File.Exists(_folder["said"]))
            return "";
        var said = File.ReadAllText(_folder["said"]);
        File.Delete(_folder["said"]);
        return said;
    }

    public void Break(string program) => File.WriteAllText(_folder[$"broken-{program}"], "");

    public void Mend(string program) => File.Delete(_folder[$"broken-{program}"]);

    public void Dispose() => _folder.Dispose();

    private void Write(string name, string text)
    {
        File.WriteAllText(_folder[name], $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(_folder[name], UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
