namespace Ferry.Sessions;

/// <summary>A variable that the configuration defines.</summary>
internal interface IVariable
{
    /// <param name="scope">Gives the values of the variables that it is made from.</param>
    string ValueIn(VariableScope scope);
}
