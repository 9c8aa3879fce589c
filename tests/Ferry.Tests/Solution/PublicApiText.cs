using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ferry.Tests.Solution;

/// <summary>An assembly's public API as text: types and members sorted by name, as one would write them in C#.</summary>
internal static class PublicApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var space in assembly.GetExportedTypes().GroupBy(type => type.Namespace).OrderBy(space => space.Key, StringComparer.Ordinal))
        {
            text.Append(text.Length > 0 ? "\n" : "").Append("namespace ").Append(space.Key).Append('\n');
            foreach (var type in space.OrderBy(type => type.FullName, StringComparer.Ordinal))
            {
                text.Append("\n    ").Append(TypeLine(type)).Append('\n');
                foreach (var line in Members(type))
                    text.Append("        ").Append(line).Append('\n');
            }
        }
        return text.ToString();
    }

    /// <summary>Public members, and protected ones of a type that can be derived from, without what the compiler makes of every record.</summary>
    public static IEnumerable<MemberInfo> VisibleMembers(Type type) => type.GetMembers(Declared).Where(member => member switch
    {
        Type => false,
        FieldInfo field => IsVisible(field.Attributes, type) && !field.IsSpecialName,
        ConstructorInfo constructor => IsVisible(constructor, type),
        PropertyInfo property => property.GetAccessors(true).Any(accessor => IsVisible(accessor, type)) && !IsGenerated(property),
        EventInfo @event => IsVisible(@event.AddMethod!, type),
        MethodInfo method => IsVisible(method, type) && !IsAccessor(method) && (!IsGenerated(method) || method.Name == "Deconstruct"),
        _ => false,
    });

    public static bool IsGenerated(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute), false);

    public static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) != null;

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(value => $"{Enum.GetName(type, value)} = {value}");
        if (typeof(Delegate).IsAssignableFrom(type))
            return [];
        return VisibleMembers(type).Select(member => (Member: member, Line: MemberLine(member, type)))
            .OrderBy(shown => Rank(shown.Member)).ThenBy(shown => shown.Member.Name, StringComparer.Ordinal).ThenBy(shown => shown.Line, StringComparer.Ordinal)
            .Select(shown => shown.Line);
    }

    private static int Rank(MemberInfo member) => member switch
    {
        FieldInfo => 0,
        ConstructorInfo => 1,
        PropertyInfo => 2,
        EventInfo => 3,
        _ => 4,
    };

    private static string TypeLine(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"public delegate {TypeName.Of(invoke.ReturnType)} {TypeName.Of(type)}({Parameters(invoke)})";
        }
        var record = IsRecord(type);
        var kind = type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsValueType ? (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "") + (record ? "record struct" : "struct")
            : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (record ? "record" : "class");
        var parents = new List<string>();
        if (!type.IsEnum && type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            parents.Add(TypeName.Of(parent));
        if (!type.IsEnum)
        {
            parents.AddRange(type.GetInterfaces()
                .Where(face => face.IsVisible && !(record && face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IEquatable<>)))
                .Select(TypeName.Of).Order(StringComparer.Ordinal));
        }
        return $"public {kind} {TypeName.Of(type)}{(parents.Count > 0 ? " : " + string.Join(", ", parents) : "")}";
    }

    private static string MemberLine(MemberInfo member, Type type) => member switch
    {
        FieldInfo { IsLiteral: true } field => $"{Access(field.IsPublic)} const {TypeName.Of(field.FieldType)} {field.Name} = {Value(field.GetRawConstantValue(), field.FieldType)}",
        FieldInfo field => $"{Access(field.IsPublic)} {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{TypeName.Of(field.FieldType)} {field.Name}",
        ConstructorInfo constructor => $"{Access(constructor.IsPublic)} {TypeName.WithoutArguments(type)}({Parameters(constructor)})",
        PropertyInfo property => PropertyLine(property, type),
        EventInfo @event => $"{Modifiers(@event.AddMethod!)}event {TypeName.Of(@event.EventHandlerType!)} {@event.Name}",
        MethodInfo method => $"{Modifiers(method)}{TypeName.Of(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)})",
        _ => throw new InvalidOperationException($"What is {member}?"),
    };

    private static string PropertyLine(PropertyInfo property, Type type)
    {
        var first = property.GetAccessors(true).First(accessor => IsVisible(accessor, type));
        var get = property.GetMethod is { } getter && IsVisible(getter, type) ? " get;" : "";
        var set = property.SetMethod is { } setter && IsVisible(setter, type)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;"
            : "";
        var required = property.IsDefined(typeof(RequiredMemberAttribute), false) ? "required " : "";
        var index = property.GetIndexParameters();
        var name = index.Length > 0 ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;
        return $"{Modifiers(first)}{required}{TypeName.Of(property.PropertyType)} {name} {{{get}{set} }}";
    }

    private static string Modifiers(MethodInfo method)
    {
        var overrides = method.IsVirtual && method.GetBaseDefinition() != method;
        var kind = method.IsStatic ? "static "
            : method.DeclaringType!.IsInterface ? ""
            : method.IsAbstract ? "abstract "
            : overrides ? "override "
            : method.IsVirtual && !method.IsFinal ? "virtual "
            : "";
        return $"{Access(method.IsPublic)} {kind}";
    }

    private static string Parameters(MethodBase method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute), false) ? "this " : "";
        return extension + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var way = parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "";
        var list = parameter.IsDefined(typeof(ParamArrayAttribute), false) ? "params " : "";
        var preset = parameter.HasDefaultValue ? $" = {Value(parameter.RawDefaultValue, parameter.ParameterType)}" : "";
        return $"{list}{way}{TypeName.Of(parameter.ParameterType)} {parameter.Name}{preset}";
    }

    private static string Generic(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";

    private static string Value(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) == null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        char letter => $"'{letter}'",
        _ when type.IsEnum => $"{TypeName.Of(type)}.{Enum.GetName(type, value)}",
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
    };

    private static string Access(bool isPublic) => isPublic ? "public" : "protected";

    private static bool IsVisible(MethodBase method, Type type) => method.IsPublic || (!type.IsSealed && (method.IsFamily || method.IsFamilyOrAssembly));

    private static bool IsVisible(FieldAttributes field, Type type) => (field & FieldAttributes.FieldAccessMask) switch
    {
        FieldAttributes.Public => true,
        FieldAttributes.Family or FieldAttributes.FamORAssem => !type.IsSealed,
        _ => false,
    };

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);
}
