using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Ferry.Config;

namespace Ferry.Tests.Solution;

public sealed partial class LayeringTests
{
    private const int MostLines = 300;
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    //     Protocol   Config   Telemetry
    //          └────────┼─────────┘
    //               Transport
    //               ┌───┴────┐
    //             Relay   Upstreams
    //               └───┬────┘
    //               Sessions
    //                Hosting
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Protocol"] = [],
        ["Config"] = [],
        ["Telemetry"] = [],
        ["Transport"] = ["Protocol", "Config", "Telemetry"],
        ["Relay"] = ["Protocol", "Config", "Telemetry", "Transport"],
        ["Upstreams"] = ["Protocol", "Config", "Telemetry", "Transport"],
        ["Sessions"] = ["Protocol", "Config", "Telemetry", "Transport", "Relay", "Upstreams"],
        ["Hosting"] = ["Protocol", "Config", "Telemetry", "Transport", "Relay", "Upstreams", "Sessions"],
    };

    [Fact]
    public void Every_folder_of_the_library_is_a_layer()
    {
        var folders = Repository.Files("src/Ferry", "*.cs").Select(path => path.Split('/')[2]).Distinct();
        Repository.AssertNone([.. folders.Where(folder => !MayUse.ContainsKey(folder)).Select(folder => $"src/Ferry/{folder} is no layer")]);
    }

    [Fact]
    public void No_source_file_names_a_layer_above_its_own()
    {
        var problems = new List<string>();
        foreach (var path in Repository.Files("src/Ferry", "*.cs"))
        {
            var layer = path.Split('/')[2];
            foreach (Match name in FerryName().Matches(Repository.ReadCode(path)))
            {
                if (!MayName(layer, name.Groups[1].Value))
                    problems.Add($"{path}: {layer} must not use {name.Value}");
            }
        }
        Repository.AssertNone(problems);
    }

    /// <summary>What a <c>using</c> does not show: names taken relative to the namespace (<c>Relay.DataRelay</c>) and types that are only inferred.</summary>
    [Fact]
    public void No_compiled_type_uses_a_layer_above_its_own()
    {
        var problems = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in typeof(FerryConfig).Assembly.GetTypes())
        {
            if (LayerOf(type) is not { } layer || !MayUse.ContainsKey(layer))
                continue;
            foreach (var used in UsedBy(type).SelectMany(Parts))
            {
                if (used.Assembly == type.Assembly && LayerOf(used) is { } other && !MayName(layer, other))
                    problems.Add($"{type.FullName} uses {used.FullName}");
            }
        }
        Repository.AssertNone(problems);
    }

    [Fact]
    public void The_library_references_nothing_but_the_runtime_and_three_abstractions()
    {
        string[] abstractions =
        [
            "Microsoft.Extensions.DependencyInjection.Abstractions",
            "Microsoft.Extensions.Hosting.Abstractions",
            "Microsoft.Extensions.Logging.Abstractions",
        ];
        var references = typeof(FerryConfig).Assembly.GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.Contains("System.Runtime", references);
        Repository.AssertNone([.. references.Where(name =>
            name == "System.Console"
            || (!name.StartsWith("System.", StringComparison.Ordinal) && name != "Microsoft.Win32.Primitives" && !abstractions.Contains(name)))]);
        Assert.DoesNotContain("FrameworkReference", Repository.Read("src/Ferry/Ferry.csproj"), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_tests_and_benchmarks_see_what_is_internal()
    {
        string[] friends = ["Ferry.Tests", "Ferry.FunctionalTests", "Ferry.Benchmarks"];
        var named = typeof(FerryConfig).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>().Select(friend => friend.AssemblyName).ToList();
        Assert.Contains("Ferry.Tests", named);
        Repository.AssertNone([.. named.Except(friends)]);
    }

    [Fact]
    public void The_daemon_reaches_the_library_by_its_public_API_only()
    {
        string[] waysIn = ["IgnoresAccessChecksTo", "UnsafeAccessor", "BindingFlags.NonPublic"];
        var problems = new List<string>();
        foreach (var path in Repository.Files("src/Ferry.Daemon", "*.cs"))
        {
            var code = Repository.ReadCode(path);
            problems.AddRange(waysIn.Where(way => code.Contains(way, StringComparison.Ordinal)).Select(way => $"{path}: {way}"));
        }
        // No source file of the library is compiled into the daemon a second time.
        Assert.DoesNotContain("<Compile", Repository.Read("src/Ferry.Daemon/Ferry.Daemon.csproj"), StringComparison.Ordinal);
        Repository.AssertNone(problems);
    }

    [Theory]
    [InlineData("src/Ferry")]
    [InlineData("src/Ferry.Daemon")]
    [InlineData("tests/Ferry.Tests")]
    [InlineData("tests/Ferry.FunctionalTests")]
    [InlineData("bench/Ferry.Benchmarks")]
    public void A_namespace_is_the_folder_of_its_file(string project)
    {
        var root = project[(project.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var problems = new List<string>();
        foreach (var path in Repository.Files(project, "*.cs"))
        {
            var folder = Path.GetDirectoryName(path)!;
            var expected = root + folder[project.Length..].Replace('/', '.');
            var code = Repository.ReadCode(path);
            var found = FileNamespace().Matches(code).Select(match => match.Groups[1].Value).ToList();
            // A program of top-level statements, or of attributes alone, has no namespace.
            var mayHaveNone = Path.GetFileName(path) == "Program.cs" || !TypeDeclaration().IsMatch(code);
            if (!(found is [var only] && only == expected) && !(found is [] && mayHaveNone))
                problems.Add($"{path}: namespace {(found is [] ? "(none)" : string.Join(", ", found))}, expected {expected}");
        }
        Repository.AssertNone(problems);
    }

    [Fact]
    public void No_file_is_longer_than_300_lines()
    {
        var files = Repository.Files(".", "*.cs").Select(path => (Path: path, Lines: Repository.Read(path).Split('\n').Length - 1)).ToList();
        Assert.NotEmpty(files);
        Repository.AssertNone([.. files.Where(file => file.Lines > MostLines).Select(file => $"{file.Path}: {file.Lines} lines; cut it by topic")]);
    }

    private static bool MayName(string layer, string other) => layer == other || !MayUse.TryGetValue(layer, out var below) || below.Contains(other);

    private static string? LayerOf(Type type) => type.Namespace is { } name && name.StartsWith("Ferry.", StringComparison.Ordinal) ? name.Split('.')[1] : null;

    private static List<Type> UsedBy(Type type)
    {
        var used = new List<Type>(type.GetInterfaces());
        if (type.BaseType is { } parent)
            used.Add(parent);
        used.AddRange(type.GetFields(All).Select(field => field.FieldType));
        foreach (var method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)))
        {
            used.AddRange(method.GetParameters().Select(parameter => parameter.ParameterType));
            if (method is MethodInfo { ReturnType: var result })
                used.Add(result);
            if (method.GetMethodBody() is { } body)
                used.AddRange(body.LocalVariables.Select(local => local.LocalType));
        }
        return used;
    }

    /// <summary>A type's own definition, and those it is made of.</summary>
    private static IEnumerable<Type> Parts(Type type) =>
        type.GetElementType() is { } element ? Parts(element)
        : type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition())
        : [type];

    [GeneratedRegex(@"\bFerry\.(\w+)")]
    private static partial Regex FerryName();

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex FileNamespace();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum|delegate)\s+\w")]
    private static partial Regex TypeDeclaration();
}
