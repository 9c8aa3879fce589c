using System.Collections.Immutable;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using Ferry.Config;

namespace Ferry.Hosting;

/// <summary>
/// The port ranges that were added at run time. They stay through reloads, and in a file through restarts, a line each:
/// <code>FIRST:LAST DESTINATION [ipv4|ipv6]</code>
/// </summary>
internal sealed class RangeTable(string? file)
{
    /// <summary>Most ranges that are added.</summary>
    public const int MaxRanges = 64;

    // What so many lines can be long at most.
    private const int MaxBytes = MaxRanges * 32;

    /// <summary>The ranges that were added, in their order.</summary>
    public ImmutableArray<RangeConfig> Added { get; private set; } = [];

    /// <summary>The ranges of the configuration, and then those that were added.</summary>
    public ImmutableArray<RangeConfig> All(ImmutableArray<RangeConfig> configured) =>
        [.. configured, .. Added.Where(a => !configured.Any(c => IsSame(a, c)))];

    /// <summary>Adds a range, in memory.</summary>
    /// <param name="range">The range.</param>
    /// <param name="configured">Those of the configuration.</param>
    /// <returns>Null, or why it cannot be added.</returns>
    public string? TryAdd(RangeConfig range, ImmutableArray<RangeConfig> configured)
    {
        if (Fault(range) is { } fault)
            return fault;
        if (Added.Length >= MaxRanges)
            return $"{MaxRanges} ranges were added, and no more are kept";
        if (All(configured).FirstOrDefault(a => Overlap(a, range)) is { } other)
            return $"ports {Show(range)} overlap {Show(other)}";
        Added = Added.Add(range);
        return null;
    }

    /// <summary>Removes a range, in memory.</summary>
    /// <returns>Null, or why it cannot be removed.</returns>
    public string? TryRemove(RangeConfig range, ImmutableArray<RangeConfig> configured)
    {
        var left = Added.RemoveAll(a => IsSame(a, range));
        if (left.Length == Added.Length)
        {
            return configured.FirstOrDefault(c => IsSame(c, range)) is { } fixedRange
                ? $"ports {Show(range)} are in the configuration, at {fixedRange.Position}; remove them there"
                : $"there is no range {Show(range)}";
        }
        Added = left;
        return null;
    }

    /// <summary>Sets back what could not be brought about.</summary>
    public void Restore(ImmutableArray<RangeConfig> before) => Added = before;

    /// <summary>Reads the file.</summary>
    /// <returns>Null, or why it cannot be used.</returns>
    public string? TryLoad()
    {
        if (file is null)
            return null;
        string[] lines;
        try
        {
            if (!File.Exists(file))
                return null;
            if (new FileInfo(file).Length > MaxBytes)
                return $"{file}: too long for a file of {MaxRanges} ranges";
            lines = File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{file}: {e.Message}";
        }
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0)
                continue;
            var error = Parse(lines[i]) is { } range ? TryAdd(range, []) : "not a range, which is FIRST:LAST DESTINATION [ipv4|ipv6]";
            if (error is not null)
            {
                Added = [];
                return $"{file}:{i + 1}: {error}";
            }
        }
        return null;
    }

    /// <summary>Writes the file: beside it first, so that a crash leaves the old one or the new one.</summary>
    /// <returns>Null, or why it cannot be written.</returns>
    public string? TrySave()
    {
        if (file is null)
            return null;
        var made = file + ".new";
        try
        {
            File.WriteAllLines(made, Added.Select(Line));
            File.Move(made, file, overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{file} cannot be written: {e.Message}";
        }
    }

    private static string Line(RangeConfig range) =>
        string.Create(CultureInfo.InvariantCulture, $"{range.First}:{range.Last} {range.DestinationPort}{FamilyWord(range)}");

    private static string FamilyWord(RangeConfig range) => range.Family switch
    {
        AddressFamily.InterNetwork => " ipv4",
        AddressFamily.InterNetworkV6 => " ipv6",
        _ => "",
    };

    private static RangeConfig? Parse(string line)
    {
        var words = line.Split(' ');
        var ports = words[0].Split(':');
        AddressFamily? family = words is [_, _, var word] ? word switch { "ipv4" => AddressFamily.InterNetwork, "ipv6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unknown } : null;
        return words.Length is 2 or 3 && ports.Length == 2 && family is not AddressFamily.Unknown
            && TryPort(ports[0], out var first) && TryPort(ports[1], out var last) && TryPort(words[1], out var destination)
            ? new RangeConfig(first, last, destination, family)
            : null;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;

    private static string? Fault(RangeConfig range)
    {
        if (range.First is < 1 or > ushort.MaxValue || range.Last is < 1 or > ushort.MaxValue || range.DestinationPort is < 1 or > ushort.MaxValue)
            return "a port is a number from 1 to 65535";
        if (range.First > range.Last)
            return $"the first port, {range.First}, is above the last, {range.Last}";
        if (range.Family is not (null or AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
            return "the family is ipv4 or ipv6";
        return range.First <= range.DestinationPort && range.DestinationPort <= range.Last
            ? $"ports {range.First}-{range.Last} hold port {range.DestinationPort}, to which they would be redirected"
            : null;
    }

    private static bool IsSame(RangeConfig a, RangeConfig b) => a with { Position = default } == b with { Position = default };

    private static bool Overlap(RangeConfig a, RangeConfig b) =>
        a.First <= b.Last && b.First <= a.Last && (a.Family is null || b.Family is null || a.Family == b.Family);

    private static string Show(RangeConfig range) => $"{range.First}-{range.Last} to {range.DestinationPort}{FamilyWord(range)}";
}
