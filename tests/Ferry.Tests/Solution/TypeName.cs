using System.Linq;

namespace Ferry.Tests.Solution;

/// <summary>The name of a type as it is written in C#, without namespaces.</summary>
internal static class TypeName
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(char)] = "char",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
    };

    public static string Of(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsByRef)
            return Of(type.GetElementType()!);
        if (type.IsPointer)
            return Of(type.GetElementType()!) + "*";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value) + "?";
        if (type.IsGenericParameter)
            return type.Name;
        var arguments = type.GetGenericArguments();
        if (type.IsConstructedGenericType && type.Namespace == "System" && type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal))
            return $"({string.Join(", ", arguments.Select(Of))})";
        var own = type.DeclaringType is { } outer ? arguments[outer.GetGenericArguments().Length..] : arguments;
        return (type.DeclaringType is { } owner ? Of(owner) + "." : "") + WithoutArguments(type)
            + (own.Length > 0 ? $"<{string.Join(", ", own.Select(Of))}>" : "");
    }

    /// <summary>The bare name, as a constructor has it.</summary>
    public static string WithoutArguments(Type type) => type.Name.Split('`')[0];
}
