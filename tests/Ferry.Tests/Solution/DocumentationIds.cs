using System.Globalization;
using System.Linq;
using System.Reflection;

namespace Ferry.Tests.Solution;

/// <summary>The names that the compiler's documentation file gives to types and members (C# specification, annex D.4.2).</summary>
internal static class DocumentationIds
{
    public static string Of(Type type) => "T:" + Definition(type);

    public static string Of(MemberInfo member)
    {
        var type = Definition(member.DeclaringType!);
        return member switch
        {
            FieldInfo => $"F:{type}.{member.Name}",
            EventInfo => $"E:{type}.{member.Name}",
            PropertyInfo property => $"P:{type}.{member.Name}{List(property.GetIndexParameters())}",
            ConstructorInfo constructor => $"M:{type}.#ctor{List(constructor.GetParameters())}",
            MethodInfo method => $"M:{type}.{member.Name}{Arity(method)}{List(method.GetParameters())}{Conversion(method)}",
            _ => throw new InvalidOperationException($"What is {member}?"),
        };
    }

    private static string List(ParameterInfo[] parameters) =>
        parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(parameter => Use(parameter.ParameterType)))})";

    private static string Arity(MethodInfo method) =>
        method.IsGenericMethod ? "``" + method.GetGenericArguments().Length.ToString(CultureInfo.InvariantCulture) : "";

    private static string Conversion(MethodInfo method) =>
        method.Name is "op_Implicit" or "op_Explicit" ? "~" + Use(method.ReturnType) : "";

    private static string Definition(Type type) => type.FullName!.Replace('+', '.');

    private static string Use(Type type)
    {
        if (type.IsByRef)
            return Use(type.GetElementType()!) + "@";
        if (type.IsPointer)
            return Use(type.GetElementType()!) + "*";
        if (type.IsSZArray)
            return Use(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter)
            return (type.DeclaringMethod != null ? "``" : "`") + type.GenericParameterPosition.ToString(CultureInfo.InvariantCulture);
        if (!type.IsConstructedGenericType)
            return Definition(type);
        var arguments = new Queue<Type>(type.GetGenericArguments());
        var parts = Definition(type.GetGenericTypeDefinition()).Split('.').Select(part =>
        {
            var cut = part.Split('`');
            return cut is [var name, var count]
                ? $"{name}{{{string.Join(',', Enumerable.Range(0, int.Parse(count, CultureInfo.InvariantCulture)).Select(_ => Use(arguments.Dequeue())))}}}"
                : part;
        });
        return string.Join('.', parts);
    }
}
